import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { toHex } from '../../../../shared/domain/encoding.ts';
import { parseCertificate } from '../../../../shared/pki/certificate.ts';
import {
  checkCertificateRequest,
  parseCertificateRequestDer,
} from '../../../../shared/pki/certificate-request.ts';
import type { CredentialVault } from '../../../../shared/ports/credential-vault.ts';
import { specOf } from '../../../support/key-spec.ts';
import { AUTHORITY_SPEC, certificateFor, type MakeVault } from './vault-subject.ts';

const CLIENT = specOf('RSA-2048');
const NAME = 'client--management--kms';
const SAME_KEY = specOf('EC-P256', { reuseKey: true });

/** Looks at the operation until the version that the vault signs itself is there, as the product does. */
async function finishSelfSigned(vault: CredentialVault, name: string) {
  for (let look = 0; look < 10; look++) {
    await vault.pending(name);
    const current = await vault.current(name);
    if (current !== null) return current;
  }
  throw new Error(`The vault did not finish ${name}.`);
}

async function addVersion(vault: CredentialVault, spec = SAME_KEY) {
  const { csr } = await vault.request(NAME, spec);
  return vault.merge(NAME, [certificateFor(csr)]);
}

/** The promises of CredentialVault (shared/ports/credential-vault.ts), by their numbers. */
export function describeCredentialVault(name: string, makeVault: MakeVault): void {
  describe(`CredentialVault: ${name}`, () => {
    test('1. request answers a request for a new key of the wanted type and name, signed with that key', async (t) => {
      const { vault } = await makeVault(t);
      for (const [id, keyType, type] of [
        ['rsa', 'RSA-2048', 'RSA'],
        ['ec', 'EC-P256', 'EC'],
      ] as const) {
        const { requestId, csr } = await vault.request(id, specOf(keyType, { dnsNames: ['cloud.test'] }));
        const request = parseCertificateRequestDer(csr);
        checkCertificateRequest(request, { identityName: 'KMS' });
        assert.equal(request.publicKey.type, type);
        assert.equal(request.commonName, 'KMS');
        assert.notEqual(requestId, '');
      }
    });

    test('1. while a version is being made another request or self-signed version is VaultObjectPending', async (t) => {
      const { vault } = await makeVault(t);
      await vault.request(NAME, SAME_KEY);
      await assert.rejects(vault.request(NAME, SAME_KEY), { code: 'VaultObjectPending' });
      await assert.rejects(vault.createSelfSigned(NAME, SAME_KEY), { code: 'VaultObjectPending' });
    });

    test('1. a soft-deleted name is VaultObjectDeleted', async (t) => {
      const { vault, softDeleteCertificate } = await makeVault(t);
      await addVersion(vault);
      await softDeleteCertificate(NAME);
      await assert.rejects(vault.request(NAME, SAME_KEY), { code: 'VaultObjectDeleted' });
      await assert.rejects(vault.createSelfSigned(NAME, SAME_KEY), { code: 'VaultObjectDeleted' });
    });

    test('1. a new version has a new key, or the one of the version before when asked for that', async (t) => {
      const { vault } = await makeVault(t);
      const keyOf = ({ der }: { der: Uint8Array }) => toHex(parseCertificate(der).spki);
      const first = keyOf(await addVersion(vault));
      assert.equal(keyOf(await addVersion(vault)), first);
      assert.notEqual(keyOf(await addVersion(vault, specOf('EC-P256'))), first);
    });

    test('2. pending tells none, waiting with the request, and ended once it was merged', async (t) => {
      const { vault } = await makeVault(t);
      assert.deepEqual(await vault.pending(NAME), { state: 'none' });
      const request = await vault.request(NAME, CLIENT);
      const waiting = await vault.pending(NAME);
      assert.ok(waiting.state === 'waiting');
      assert.equal(waiting.requestId, request.requestId);
      assert.equal(toHex(waiting.csr), toHex(request.csr));
      await vault.merge(NAME, [certificateFor(request.csr)]);
      assert.deepEqual(await vault.pending(NAME), { state: 'ended' });
    });

    test('3. discardPending removes a waiting operation or one that has ended, and does nothing without one', async (t) => {
      const { vault } = await makeVault(t);
      await vault.discardPending(NAME);
      await vault.request(NAME, SAME_KEY);
      await vault.discardPending(NAME);
      assert.deepEqual(await vault.pending(NAME), { state: 'none' });
      const version = await addVersion(vault);
      await vault.discardPending(NAME);
      await vault.discardPending(NAME);
      assert.deepEqual(await vault.pending(NAME), { state: 'none' });
      assert.equal((await vault.current(NAME))?.version, version.version);
    });

    test('4. merge finishes the waiting version and answers it', async (t) => {
      const { vault } = await makeVault(t);
      const { csr } = await vault.request(NAME, SAME_KEY);
      const der = certificateFor(csr);
      const authority = certificateFor((await vault.request('other', SAME_KEY)).csr);
      const merged = await vault.merge(NAME, [der, authority]);
      assert.equal(toHex(merged.der), toHex(der));
      const current = await vault.current(NAME);
      assert.equal(current?.version, merged.version);
      assert.equal(current.keyId, merged.keyId);
      assert.equal(toHex(current.der), toHex(der));
      assert.ok(merged.keyId.endsWith(`/keys/${NAME}/${merged.version}`));
    });

    test('4. a certificate for another key is VaultRefused, and the version goes on waiting', async (t) => {
      const { vault } = await makeVault(t);
      const { csr } = await vault.request(NAME, SAME_KEY);
      const other = await vault.request('other', SAME_KEY);
      await assert.rejects(vault.merge(NAME, [certificateFor(other.csr)]), { code: 'VaultRefused' });
      assert.equal((await vault.pending(NAME)).state, 'waiting');
      await vault.merge(NAME, [certificateFor(csr)]);
    });

    test('4. merging twice, or where nothing waits, is refused and changes nothing', async (t) => {
      const { vault } = await makeVault(t);
      const isRefused = ({ code }: { code?: string }) => code === 'VaultRefused' || code === 'NotFound';
      const { csr } = await vault.request(NAME, SAME_KEY);
      const der = certificateFor(csr);
      const { version } = await vault.merge(NAME, [der]);
      await assert.rejects(vault.merge(NAME, [der]), isRefused);
      await vault.discardPending(NAME);
      await assert.rejects(vault.merge(NAME, [der]), isRefused);
      await assert.rejects(vault.merge('nobody', [der]), isRefused);
      assert.equal((await vault.current(NAME))?.version, version);
    });

    test('5. current is null until the first version is finished, then the newest finished one', async (t) => {
      const { vault } = await makeVault(t);
      assert.equal(await vault.current(NAME), null);
      await vault.request(NAME, SAME_KEY);
      assert.equal(await vault.current(NAME), null);
      await vault.discardPending(NAME);
      const first = await addVersion(vault);
      await vault.request(NAME, SAME_KEY);
      assert.equal((await vault.current(NAME))?.version, first.version);
    });

    test('6. a self-signed version is there once its operation has ended, and a request can have its key', async (t) => {
      const { vault } = await makeVault(t);
      const spec = AUTHORITY_SPEC('EC-P256');
      await vault.createSelfSigned('authority--a1', spec);
      const own = await finishSelfSigned(vault, 'authority--a1');
      assert.deepEqual(await vault.pending('authority--a1'), { state: 'ended' });
      const { csr } = await vault.request('authority--a1', spec);
      assert.equal(toHex(parseCertificateRequestDer(csr).spki), toHex(parseCertificate(own.der).spki));
      const merged = await vault.merge('authority--a1', [certificateFor(csr)]);
      assert.notEqual(merged.version, own.version);
    });

    test('7. reads find nothing under a deleted name, and recover brings everything back', async (t) => {
      const { vault, softDeleteCertificate } = await makeVault(t);
      const { version } = await addVersion(vault);
      await softDeleteCertificate(NAME);
      assert.equal(await vault.current(NAME), null);
      assert.deepEqual(await vault.pending(NAME), { state: 'none' });
      await vault.discardPending(NAME);
      await vault.recover(NAME);
      assert.equal((await vault.current(NAME))?.version, version);
      await addVersion(vault);
    });

    test('8. a disabled version is still the current one, and a new one takes its place', async (t) => {
      const { vault } = await makeVault(t);
      const { version } = await addVersion(vault);
      await vault.disable(NAME, version);
      const disabled = await vault.current(NAME);
      assert.deepEqual([disabled?.version, disabled?.isEnabled], [version, false]);
      const next = await addVersion(vault);
      const current = await vault.current(NAME);
      assert.deepEqual([current?.version, current?.isEnabled], [next.version, true]);
      await assert.rejects(vault.disable(NAME, '0'.repeat(32)), { code: 'NotFound' });
    });

    test('8. enabledVersions names what is finished and not disabled, and nothing where there is no such name', async (t) => {
      const { vault } = await makeVault(t);
      assert.deepEqual(await vault.enabledVersions(NAME), []);
      const first = await addVersion(vault);
      const second = await addVersion(vault);
      assert.deepEqual(
        [...(await vault.enabledVersions(NAME))].sort(),
        [first.version, second.version].sort(),
      );
      await vault.disable(NAME, first.version);
      assert.deepEqual(await vault.enabledVersions(NAME), [second.version]);
    });
  });
}
