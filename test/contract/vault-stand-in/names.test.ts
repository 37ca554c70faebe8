import assert from 'node:assert/strict';
import { createPublicKey, randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { type Clients, collect, restError, startVault } from './harness.ts';

const self = { issuerName: 'Self', subject: 'CN=a', keyType: 'EC', exportable: false } as const;

/** The three kinds of objects, as the SDKs make and delete them. */
const kinds = {
  certificate: {
    make: async ({ certificates }: Clients) =>
      (await certificates.beginCreateCertificate('name', self)).pollUntilDone(),
    remove: async ({ certificates }: Clients) =>
      (await certificates.beginDeleteCertificate('name')).pollUntilDone(),
    purge: ({ certificates }: Clients) => certificates.purgeDeletedCertificate('name'),
  },
  key: {
    make: ({ keys }: Clients) => keys.createEcKey('name'),
    remove: async ({ keys }: Clients) => (await keys.beginDeleteKey('name')).pollUntilDone(),
    purge: ({ keys }: Clients) => keys.purgeDeletedKey('name'),
  },
  secret: {
    make: ({ secrets }: Clients) => secrets.setSecret('name', 'value'),
    remove: async ({ secrets }: Clients) => (await secrets.beginDeleteSecret('name')).pollUntilDone(),
    purge: ({ secrets }: Clients) => secrets.purgeDeletedSecret('name'),
  },
};
type Kind = keyof typeof kinds;
const all = Object.keys(kinds) as Kind[];

describe('One name', () => {
  for (const holder of all) {
    for (const other of all.filter((kind) => kind !== holder)) {
      test(`that a ${holder} holds is not given to a ${other}, not even while soft-deleted, until it is purged.`, async (t) => {
        const { clients } = await startVault(t);
        await kinds[holder].make(clients);
        // A certificate's key and secret are there, and are its own.
        const inUse = holder === 'certificate' ? restError(403, 'Forbidden') : restError(409, 'Conflict');
        await assert.rejects(kinds[other].make(clients), inUse);
        await assert.rejects(
          kinds[other].remove(clients),
          holder === 'certificate' ? inUse : { statusCode: 404 },
        );
        await kinds[holder].remove(clients);
        const capital = `${holder[0]?.toUpperCase()}${holder.slice(1)}`;
        for (const kind of all) {
          await assert.rejects(kinds[kind].make(clients), {
            ...restError(409, 'Conflict'),
            message: new RegExp(`^${capital} name is currently in a deleted but recoverable state`),
          });
        }
        await assert.rejects(kinds[other].purge(clients), { statusCode: 404 });
        await kinds[holder].purge(clients);
        await kinds[other].make(clients);
      });
    }
  }

  test('is the same in any case, and keeps the one it was made with.', async (t) => {
    const { keys, secrets } = (await startVault(t)).clients;
    await keys.createEcKey('Some-Name');
    assert.equal((await keys.getKey('SOME-NAME')).name, 'Some-Name');
    await assert.rejects(secrets.setSecret('some-name', 'value'), restError(409, 'Conflict'));
  });
});

describe('Keys of their own', () => {
  test('have versions, and sign while they are enabled and in time.', async (t) => {
    const { clients } = await startVault(t);
    const { keys } = clients;
    const first = await keys.createRsaKey('own', { keySize: 2048, tags: { n: '1' } });
    const second = await keys.createEcKey('own', { curve: 'P-384' });
    assert.equal((await keys.getKey('own')).id, second.id);
    assert.equal((await keys.getKey('own')).properties.managed, undefined);
    const { n, e, kty } = first.key ?? {};
    assert.ok(n !== undefined && e !== undefined);
    const jwk = { kty, n: Buffer.from(n).toString('base64url'), e: Buffer.from(e).toString('base64url') };
    assert.equal(
      createPublicKey({ key: jwk as never, format: 'jwk' }).asymmetricKeyDetails?.modulusLength,
      2048,
    );
    const { items } = await collect(keys.listPropertiesOfKeyVersions('own'));
    assert.deepEqual(
      items.map(({ version, tags }) => [version, tags]),
      [
        [first.properties.version, { n: '1' }],
        [second.properties.version, undefined],
      ],
    );
    const { result } = await clients.cryptography(second.id ?? '').sign('ES384', randomBytes(48));
    assert.equal(result.length, 96);
    await keys.updateKeyProperties('own', second.properties.version ?? '', { enabled: false });
    await assert.rejects(
      clients.cryptography(second.id ?? '').sign('ES384', randomBytes(48)),
      restError(403, 'Forbidden'),
    );
    await clients.cryptography(first.id ?? '').sign('RS256', randomBytes(32));
  });

  test('verify after their end what they do not sign any more.', async (t) => {
    const { clients } = await startVault(t);
    const { properties } = await clients.keys.createEcKey('own');
    const path = `/keys/own/${properties.version}`;
    const digest = randomBytes(32).toString('base64url');
    const signed = await clients.request('POST', `${path}/sign`, { alg: 'ES256', value: digest });
    const now = Math.floor(Date.now() / 1000);
    await clients.request('PATCH', path, { attributes: { nbf: now - 20, exp: now - 10 } });
    const again = await clients.request('POST', `${path}/sign`, { alg: 'ES256', value: digest });
    assert.equal(again.status, 403);
    const { value } = signed.body as { value: string };
    const verified = await clients.request('POST', `${path}/verify`, { alg: 'ES256', digest, value });
    assert.deepEqual(verified, { status: 200, body: { value: true } });
  });

  test('are listed with those of certificates, which are managed and not to be changed.', async (t) => {
    const { certificates, keys } = (await startVault(t)).clients;
    const poller = await certificates.beginCreateCertificate('b', self);
    const version = (await poller.pollUntilDone()).properties.version ?? '';
    await keys.createEcKey('a');
    const { items } = await collect(keys.listPropertiesOfKeys());
    assert.deepEqual(
      items.map(({ name, managed }) => [name, managed]),
      [
        ['a', undefined],
        ['b', true],
      ],
    );
    const refused = restError(403, 'Forbidden');
    await assert.rejects(keys.updateKeyProperties('b', version, { enabled: false }), refused);
    await assert.rejects(keys.beginDeleteKey('b'), refused);
  });

  test('are deleted softly, recovered and purged, by their own routes.', async (t) => {
    const { keys } = (await startVault(t)).clients;
    const { id } = await keys.createEcKey('own');
    await (await keys.beginDeleteKey('own')).pollUntilDone();
    await assert.rejects(keys.getKey('own'), restError(404, 'KeyNotFound'));
    assert.equal((await keys.getDeletedKey('own')).name, 'own');
    assert.equal((await collect(keys.listDeletedKeys())).items.length, 1);
    await (await keys.beginRecoverDeletedKey('own')).pollUntilDone();
    assert.equal((await keys.getKey('own')).id, id);
    await (await keys.beginDeleteKey('own')).pollUntilDone();
    await keys.purgeDeletedKey('own');
    await assert.rejects(keys.getDeletedKey('own'), restError(404, 'KeyNotFound'));
  });
});
