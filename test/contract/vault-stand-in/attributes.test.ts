import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { collect, restError, startVault } from './harness.ts';
import { issueFor, requestCertificate } from './issuing.ts';

const self = {
  issuerName: 'Self',
  subject: 'CN=a',
  keyType: 'EC',
  contentType: 'application/x-pem-file',
} as const;
const refused = restError(400, 'BadParameter');

const tags = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`tag-${n}`, '']));

describe('Tags', () => {
  test('are 15 at most, 256 characters each, name and value.', async (t) => {
    const { secrets, certificates } = (await startVault(t)).clients;
    const { properties } = await secrets.setSecret('a', 'value', { tags: tags(15) });
    const version = properties.version ?? '';
    const long = { ['n'.repeat(256)]: 'v'.repeat(256) };
    await secrets.updateSecretProperties('a', version, { tags: long });
    const wrong = [tags(16), { ['n'.repeat(257)]: '' }, { name: 'v'.repeat(257) }];
    for (const bad of wrong) {
      await assert.rejects(secrets.setSecret('b', 'value', { tags: bad }), refused);
      await assert.rejects(secrets.updateSecretProperties('a', version, { tags: bad }), refused);
      await assert.rejects(certificates.beginCreateCertificate('c', self, { tags: bad }), refused);
    }
    assert.deepEqual((await secrets.getSecret('a')).properties.tags, long);
    const made = await (
      await certificates.beginCreateCertificate('c', self, { tags: tags(15) })
    ).pollUntilDone();
    const ofMade = made.properties.version ?? '';
    for (const bad of wrong) {
      await assert.rejects(certificates.updateCertificateProperties('c', ofMade, { tags: bad }), refused);
    }
  });

  test('replace the ones there were; left out, they stay; empty, they go.', async (t) => {
    const { certificates, secrets } = (await startVault(t)).clients;
    const poller = await certificates.beginCreateCertificate('c', self, { tags: { a: '1', b: '2' } });
    const version = (await poller.pollUntilDone()).properties.version ?? '';
    const current = async () => (await certificates.getCertificate('c')).properties.tags;
    await certificates.updateCertificateProperties('c', version, { tags: { a: '3' } });
    assert.deepEqual(await current(), { a: '3' });
    await certificates.updateCertificateProperties('c', version, { enabled: true });
    assert.deepEqual(await current(), { a: '3' });
    assert.deepEqual((await secrets.getSecret('c')).properties.tags, { a: '3' }, 'its secret has the same');
    await certificates.updateCertificateProperties('c', version, { tags: {} });
    assert.deepEqual(await current(), {});
  });

  test('belong to a version, not to the object.', async (t) => {
    const { secrets } = (await startVault(t)).clients;
    const first = await secrets.setSecret('a', '1', { tags: { n: '1' } });
    await secrets.setSecret('a', '2');
    assert.equal((await secrets.getSecret('a')).properties.tags, undefined);
    const old = await secrets.getSecret('a', { version: first.properties.version ?? '' });
    assert.deepEqual(old.properties.tags, { n: '1' });
  });
});

describe('Versions that are disabled', () => {
  test('do not stop the others: only what names them, or asks for the latest, is refused.', async (t) => {
    const { clients } = await startVault(t);
    const { certificates, secrets } = clients;
    const renew = async () => {
      const { leaf } = await issueFor(await requestCertificate(certificates, 'c', self));
      return certificates.mergeCertificate('c', [leaf]);
    };
    const [first, second] = [await renew(), await renew()];
    const disable = (version = '', enabled = false) =>
      certificates.updateCertificateProperties('c', version, { enabled });
    const sign = (keyId = '') => clients.cryptography(keyId).sign('ES256', randomBytes(32));
    const versionOf = ({ properties }: typeof first) => properties.version ?? '';

    await disable(versionOf(first));
    await sign(second.keyId);
    await secrets.getSecret('c');
    await assert.rejects(sign(first.keyId), {
      ...restError(403, 'Forbidden'),
      message: 'Operation sign is not allowed on a disabled key.',
    });
    await assert.rejects(secrets.getSecret('c', { version: versionOf(first) }), restError(403, 'Forbidden'));

    await disable(versionOf(second));
    await assert.rejects(secrets.getSecret('c'), restError(403, 'Forbidden'));
    assert.equal((await certificates.getCertificate('c')).properties.enabled, false);
    assert.ok((await certificates.getCertificate('c')).cer, 'the certificate itself can be read');
    const { items } = await collect(certificates.listPropertiesOfCertificateVersions('c'));
    assert.deepEqual(
      items.map(({ enabled }) => enabled),
      [false, false],
    );
    await disable(versionOf(second), true);
    await sign(second.keyId);
  });

  test('can be made so: created, merged and set disabled.', async (t) => {
    const { certificates, secrets } = (await startVault(t)).clients;
    const poller = await certificates.beginCreateCertificate('c', self, { enabled: false });
    assert.equal((await poller.pollUntilDone()).properties.enabled, false);
    await secrets.setSecret('s', 'value', { enabled: false });
    await assert.rejects(secrets.getSecret('s'), restError(403, 'Forbidden'));
    const { items } = await collect(secrets.listPropertiesOfSecrets());
    assert.deepEqual(
      items.map(({ name, enabled }) => [name, enabled]),
      [
        ['c', false],
        ['s', false],
      ],
    );
  });

  test('are not usable before their time either.', async (t) => {
    const { clients } = await startVault(t);
    const { certificates } = clients;
    const request = await requestCertificate(certificates, 'c', self);
    const { leaf } = await issueFor(request, 90, new Date(Date.now() + 3_600_000));
    const { keyId } = await certificates.mergeCertificate('c', [leaf]);
    // The SDK reads the dates of the key and does not even ask.
    await assert.rejects(
      clients.cryptography(keyId ?? '').sign('ES256', randomBytes(32)),
      /can't be used before/,
    );
    const body = { alg: 'ES256', value: randomBytes(32).toString('base64url') };
    const answer = await clients.request('POST', `${new URL(keyId ?? '').pathname}/sign`, body);
    assert.equal(answer.status, 403);
    assert.match(JSON.stringify(answer.body), /not yet valid.*KeyNotYetValid/);
  });
});

describe('Lists', () => {
  test('take maxresults from 1 to 25, walk to the end, and hold what is pending only when asked.', async (t) => {
    const { clients } = await startVault(t);
    const { certificates, request } = clients;
    for (const name of ['a', 'b', 'c']) {
      await (await certificates.beginCreateCertificate(name, self)).pollUntilDone();
    }
    await requestCertificate(certificates, 'd', self);
    for (const size of ['0', '26', '-1', '1.5', 'many']) {
      assert.equal((await request('GET', `/certificates?maxresults=${size}`)).status, 400, size);
    }
    const walk = async (query: string) => {
      const names: string[] = [];
      let next: string | null = `/certificates?${query}`;
      while (next !== null) {
        const { body } = await request('GET', next);
        const page = body as { value: { id: string }[]; nextLink: string | null };
        names.push(...page.value.map(({ id }) => id.split('/').at(-1) ?? ''));
        // The link carries everything, api-version too.
        next = page.nextLink === null ? null : page.nextLink.slice(clients.url.length);
      }
      return names;
    };
    assert.deepEqual(await walk('maxresults=1'), ['a', 'b', 'c']);
    assert.deepEqual(await walk('maxresults=25'), ['a', 'b', 'c']);
    assert.deepEqual(await walk('maxresults=2&includePending=true'), ['a', 'b', 'c', 'd']);
    assert.deepEqual(await walk('maxresults=1&includePending=false'), ['a', 'b', 'c']);
    const { items } = await collect(certificates.listPropertiesOfCertificates({ includePending: true }));
    assert.deepEqual([items.at(-1)?.name, items.at(-1)?.enabled], ['d', false]);
  });

  test('of deleted certificates hold pending ones only when asked as well.', async (t) => {
    const { certificates } = (await startVault(t)).clients;
    await requestCertificate(certificates, 'waiting', self);
    await (await certificates.beginDeleteCertificate('waiting')).pollUntilDone();
    assert.deepEqual((await collect(certificates.listDeletedCertificates())).items, []);
    const { items } = await collect(certificates.listDeletedCertificates({ includePending: true }));
    assert.equal(items[0]?.name, 'waiting');
  });

  test('go on where they were when objects come and go between two pages.', async (t) => {
    const { clients } = await startVault(t);
    const { secrets } = clients;
    for (const name of ['a', 'b', 'd', 'e']) await secrets.setSecret(name, 'value');
    const first = (await clients.request('GET', '/secrets?maxresults=2')).body as { nextLink: string };
    await (await secrets.beginDeleteSecret('b')).pollUntilDone();
    await secrets.setSecret('c', 'value');
    const second = await clients.request('GET', first.nextLink.slice(clients.url.length));
    const { value } = second.body as { value: { id: string }[] };
    assert.deepEqual(
      value.map(({ id }) => id.split('/').at(-1)),
      ['c', 'd'],
    );
  });
});
