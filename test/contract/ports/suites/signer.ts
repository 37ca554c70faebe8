import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { describe, test } from 'node:test';
import type { KeyType } from '../../../../shared/domain/policy.ts';
import { parseCertificate } from '../../../../shared/pki/certificate.ts';
import type { SignatureAlgorithm } from '../../../../shared/ports/signer.ts';
import { AUTHORITY_SPEC, certificateFor, type MakeVault, type VaultUnderTest } from './vault-subject.ts';

const NAME = 'authority--a1';
const DATA = new TextEncoder().encode('what is to be signed');

/** An authority's key as the product makes it: self-signed, then requested with the same key and merged. */
async function makeKey({ vault }: VaultUnderTest, keyType: KeyType) {
  const spec = AUTHORITY_SPEC(keyType);
  await vault.createSelfSigned(NAME, spec);
  await vault.pending(NAME);
  const own = await vault.current(NAME);
  const { csr } = await vault.request(NAME, spec);
  const merged = await vault.merge(NAME, [certificateFor(csr)]);
  assert.ok(own !== null);
  const spki = Buffer.from(parseCertificate(merged.der).spki);
  return { own, merged, publicKey: createPublicKey({ key: spki, format: 'der', type: 'spki' }) };
}

const ALGORITHMS: readonly [SignatureAlgorithm, KeyType, string, number][] = [
  ['ES256', 'EC-P256', 'sha256', 64],
  ['RS256', 'RSA-2048', 'sha256', 256],
  ['RS384', 'RSA-2048', 'sha384', 256],
  ['RS512', 'RSA-2048', 'sha512', 256],
];

/** The promises of Signer (shared/ports/signer.ts), by their numbers. */
export function describeSigner(name: string, makeVault: MakeVault): void {
  describe(`Signer: ${name}`, () => {
    for (const [algorithm, keyType, hash, length] of ALGORITHMS) {
      test(`1. and 2. ${algorithm} signs the data with the key version that is named, as JWS carries it`, async (t) => {
        const subject = await makeVault(t);
        const { own, merged, publicKey } = await makeKey(subject, keyType);
        for (const { keyId } of [merged, own]) {
          const signature = await subject.signer.sign(keyId, algorithm, DATA);
          assert.equal(signature.length, length);
          assert.ok(verify(hash, DATA, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature));
        }
      });
    }

    test('1. a key that is not there is NotFound', async (t) => {
      const subject = await makeVault(t);
      const { merged } = await makeKey(subject, 'EC-P256');
      for (const keyId of [
        merged.keyId.replace(NAME, 'nobody'),
        merged.keyId.replace(merged.version, '0'.repeat(32)),
      ]) {
        await assert.rejects(subject.signer.sign(keyId, 'ES256', DATA), { code: 'NotFound' });
      }
    });

    test('3. a disabled version signs no more, and the other versions of the same key do', async (t) => {
      const subject = await makeVault(t);
      const { own, merged } = await makeKey(subject, 'EC-P256');
      await subject.vault.disable(NAME, own.version);
      await assert.rejects(subject.signer.sign(own.keyId, 'ES256', DATA), { code: 'VaultAccessDenied' });
      assert.equal((await subject.signer.sign(merged.keyId, 'ES256', DATA)).length, 64);
    });
  });
}
