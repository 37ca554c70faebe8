import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { compactVerify, importX509 } from 'jose';
import { makeSelfSigned, signRaw } from '../../../shared/adapters/memory/memory-certificates.ts';
import { validityFor } from '../../../shared/domain/policy.ts';
import { finishJws, jwsPayload, prepareJws } from '../../../shared/pki/jws-writer.ts';
import type { KeySpec } from '../../../shared/ports/credential-vault.ts';

const SPEC: KeySpec = {
  keyType: 'EC-P256',
  exportable: false,
  reuseKey: false,
  commonName: 'Everleaf Audit',
  organization: null,
  dnsNames: [],
  usage: 'signature',
};
const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const certificate = makeSelfSigned(
  SPEC,
  key,
  validityFor(new Date('2026-11-21T08:00:00Z'), 365),
  Uint8Array.of(1),
);
const PAYLOAD = '{"chain":"ä","seq":1}';

test('Another library verifies the JWS with the certificate in its header', async () => {
  const unsigned = prepareJws(PAYLOAD, certificate);
  const signature = signRaw(key, 'ES256', new TextEncoder().encode(unsigned.signingInput));
  const jws = finishJws(unsigned, certificate, signature) ?? '';
  const { payload, protectedHeader } = await compactVerify(jws, async ({ x5c }) =>
    importX509(`-----BEGIN CERTIFICATE-----\n${x5c?.[0]}\n-----END CERTIFICATE-----`, 'ES256'),
  );
  assert.equal(new TextDecoder().decode(payload), PAYLOAD);
  assert.equal(protectedHeader.alg, 'ES256');
  assert.equal(jwsPayload(jws), PAYLOAD);
});

test('A signature of another key, another text or another length is not taken', () => {
  const unsigned = prepareJws(PAYLOAD, certificate);
  const { privateKey: other } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const input = new TextEncoder().encode(unsigned.signingInput);
  assert.equal(finishJws(unsigned, certificate, signRaw(other, 'ES256', input)), null);
  assert.equal(finishJws(unsigned, certificate, signRaw(key, 'ES256', Uint8Array.of(1))), null);
  assert.equal(finishJws(unsigned, certificate, new Uint8Array(96)), null);
});

test('What has not three parts has no payload', () => {
  for (const text of ['', 'a', 'a.b', 'a.b.c.d']) assert.equal(jwsPayload(text), null);
});
