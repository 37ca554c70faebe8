import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Secret } from '../../../../shared/domain/secret.ts';
import { specOf } from '../../../support/key-spec.ts';
import { certificateFor, type MakeVault, type VaultUnderTest } from './vault-subject.ts';

const CERTIFICATE = 'authority--a1';
const SECRET = 'rotation-key';
const OPTIONS = { contentType: 'text/plain', tags: {}, expiresAt: null };

async function addVersion({ vault }: VaultUnderTest): Promise<string> {
  const { csr } = await vault.request(
    CERTIFICATE,
    specOf('EC-P256', { usage: 'authority', exportable: false }),
  );
  return (await vault.merge(CERTIFICATE, [certificateFor(csr)])).version;
}

async function addSecret({ secrets }: VaultUnderTest, value: string): Promise<string> {
  return (await secrets.write(SECRET, new Secret(value), OPTIONS)).version;
}

/** The promises of VaultBackup and VaultRestore (shared/ports/vault-backup.ts), by their numbers. */
export function describeVaultCopies(name: string, makeVault: MakeVault): void {
  describe(`VaultBackup: ${name}`, () => {
    test('1. a copy names the newest version; there is none of what is not there, not finished or soft-deleted', async (t) => {
      const made = await makeVault(t);
      const { copies, vault } = made;
      assert.equal(await copies.backup('certificate', CERTIFICATE), null);
      assert.equal(await copies.backup('secret', SECRET), null);
      await vault.request('authority--b2', specOf('EC-P256'));
      assert.equal(await copies.backup('certificate', 'authority--b2'), null);
      await addVersion(made);
      const newest = await addVersion(made);
      assert.equal((await copies.backup('certificate', CERTIFICATE))?.version, newest);
      const secret = await addSecret(made, 'value');
      assert.equal((await copies.backup('secret', SECRET))?.version, secret);
      await made.softDeleteCertificate(CERTIFICATE);
      await made.softDeleteSecret(SECRET);
      assert.equal(await copies.backup('certificate', CERTIFICATE), null);
      assert.equal(await copies.backup('secret', SECRET), null);
    });

    test('2. a copy says nothing to whoever holds it', async (t) => {
      const made = await makeVault(t);
      await addSecret(made, 'the-secret-value');
      const copy = await made.copies.backup('secret', SECRET);
      assert.doesNotMatch(Buffer.from(copy?.blob ?? []).toString('latin1'), /the-secret-value|rotation/);
    });
  });

  describe(`VaultRestore: ${name}`, () => {
    test('1. versions names them all, and none of what is not there or soft-deleted', async (t) => {
      const made = await makeVault(t);
      const { copies } = made;
      assert.deepEqual(await copies.versions('certificate', CERTIFICATE), []);
      assert.deepEqual(await copies.versions('secret', SECRET), []);
      const certificates = [await addVersion(made), await addVersion(made)];
      const secrets = [await addSecret(made, 'one'), await addSecret(made, 'two')];
      assert.deepEqual([...(await copies.versions('certificate', CERTIFICATE))].sort(), certificates.sort());
      assert.deepEqual([...(await copies.versions('secret', SECRET))].sort(), secrets.sort());
      await made.softDeleteCertificate(CERTIFICATE);
      await made.softDeleteSecret(SECRET);
      assert.deepEqual(await copies.versions('certificate', CERTIFICATE), []);
      assert.deepEqual(await copies.versions('secret', SECRET), []);
    });

    test('2. restore needs a free name: not one that is taken, nor one that is soft-deleted', async (t) => {
      const made = await makeVault(t);
      await addVersion(made);
      await addSecret(made, 'value');
      for (const [type, name] of [
        ['certificate', CERTIFICATE],
        ['secret', SECRET],
      ] as const) {
        const { blob } = (await made.copies.backup(type, name)) ?? { blob: new Uint8Array() };
        await assert.rejects(made.copies.restore(type, blob), { code: 'VaultRefused' });
        await (type === 'certificate' ? made.softDeleteCertificate(name) : made.softDeleteSecret(name));
        await assert.rejects(made.copies.restore(type, blob), { code: 'VaultObjectDeleted' });
      }
    });

    test('2. restore brings back all versions with their ids, and the key signs as before', async (t) => {
      const made = await makeVault(t);
      const ids = [await addVersion(made), await addVersion(made)];
      const before = await made.vault.current(CERTIFICATE);
      const version = await addSecret(made, 'value');
      const certificate = await made.copies.backup('certificate', CERTIFICATE);
      const secret = await made.copies.backup('secret', SECRET);
      await made.purgeEverything([CERTIFICATE], [SECRET]);
      assert.deepEqual(await made.copies.versions('certificate', CERTIFICATE), []);
      await made.copies.restore('certificate', certificate?.blob ?? new Uint8Array());
      await made.copies.restore('secret', secret?.blob ?? new Uint8Array());
      assert.deepEqual([...(await made.copies.versions('certificate', CERTIFICATE))].sort(), ids.sort());
      const after = await made.vault.current(CERTIFICATE);
      assert.deepEqual([after?.version, after?.der], [before?.version, before?.der]);
      assert.equal((await made.secrets.read(SECRET, version))?.value.reveal(), 'value');
      assert.equal((await made.signer.sign(after?.keyId ?? '', 'ES256', new Uint8Array(8))).length, 64);
    });

    test('2. what is no copy of that kind is VaultRefused', async (t) => {
      const made = await makeVault(t);
      await addSecret(made, 'value');
      const { blob } = (await made.copies.backup('secret', SECRET)) ?? { blob: new Uint8Array() };
      await assert.rejects(made.copies.restore('certificate', blob), { code: 'VaultRefused' });
      await assert.rejects(made.copies.restore('secret', Uint8Array.of(1, 2, 3)), { code: 'VaultRefused' });
    });

    test('3. recover brings a soft-deleted object back, and is NotFound where there is none', async (t) => {
      const made = await makeVault(t);
      const version = await addVersion(made);
      const secret = await addSecret(made, 'value');
      await made.softDeleteCertificate(CERTIFICATE);
      await made.softDeleteSecret(SECRET);
      await made.copies.recover('certificate', CERTIFICATE);
      await made.copies.recover('secret', SECRET);
      assert.deepEqual(await made.copies.versions('certificate', CERTIFICATE), [version]);
      assert.deepEqual(await made.copies.versions('secret', SECRET), [secret]);
      await assert.rejects(made.copies.recover('certificate', 'none'), { code: 'NotFound' });
      await assert.rejects(made.copies.recover('secret', 'none'), { code: 'NotFound' });
    });
  });
}
