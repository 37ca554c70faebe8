/** What a verifier sends to the OCSP responder, and what it makes of the answer. */
import assert from 'node:assert/strict';
import type { FinishedAuthority } from '../../shared/domain/authority.ts';
import { parseCertificate } from '../../shared/pki/certificate.ts';
import { type CertIdHash, certIdFor } from '../../shared/pki/ocsp-cert-id.ts';
import { type ParsedOcspResponse, parseOcspResponse } from '../../shared/pki/ocsp-response-reader.ts';
import { NONCE, ocspRequest, rawExtension, SHA1, SHA256 } from '../unit/pki/support/ocsp.ts';
import { hex, integer, nothing, octetString, oid, sequence } from '../unit/pki/support/tlv.ts';

export interface Question {
  readonly hash?: CertIdHash;
  readonly nonce?: Uint8Array | null;
}

/** An OCSPRequest about certificates of one authority. */
export function questionAbout(
  authority: Pick<FinishedAuthority, 'certificate'>,
  serials: readonly string[],
  { hash = 'sha1', nonce = null }: Question = {},
): Uint8Array {
  const { issuerNameHash, issuerKeyHash } = certIdFor(parseCertificate(authority.certificate), hash);
  const algorithm = sequence(oid(hash === 'sha1' ? SHA1 : SHA256), nothing());
  const requests = serials.map((serial) => {
    const positive = Number.parseInt(serial.slice(0, 2), 16) < 0x80 ? serial : `00${serial}`;
    const certId = [algorithm, octetString(issuerNameHash), octetString(issuerKeyHash), integer(positive)];
    return sequence(sequence(...certId));
  });
  return Uint8Array.from(
    ocspRequest(requests, nonce === null ? [] : [rawExtension(NONCE, octetString(nonce))]),
  );
}

export const A_NONCE = Uint8Array.from(hex('00112233445566778899aabbccddeeff'));

/** A successful answer. */
export function readAnswer(der: Uint8Array): ParsedOcspResponse {
  const answer = parseOcspResponse(der);
  assert.equal(answer.status, 'successful');
  assert.ok(answer.status === 'successful');
  return answer;
}
