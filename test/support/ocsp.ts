/** What a verifier sends to the OCSP responder, and what it makes of the answer. */

import assert from 'node:assert/strict';
import type { FinishedAuthority } from '../../shared/domain/authority.ts';
import { parseCertificate } from '../../shared/pki/certificate.ts';
import { type CertIdHash, certIdFor } from '../../shared/pki/ocsp-cert-id.ts';
import type { OcspCertStatus } from '../../shared/pki/ocsp-response.ts';
import { type ParsedOcspResponse, parseOcspResponse } from '../../shared/pki/ocsp-response-reader.ts';
import { answerOcsp } from '../../shared/use-cases/answer-ocsp.ts';
import { readActiveAuthority } from '../../shared/use-cases/authorities.ts';
import { NONCE, ocspRequest, rawExtension, SHA1, SHA256 } from '../unit/pki/support/ocsp.ts';
import { hex, integer, nothing, octetString, oid, sequence } from '../unit/pki/support/tlv.ts';
import { logIn, NODE_AGENT, requestOf, tokenFromLoginFile } from './agent.ts';
import type { World } from './memory-world.ts';

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

/** A serial number of no certificate. */
export const NEVER_ISSUED = '5a00112233445566778899aabbccddee';
export const GOOD: OcspCertStatus = { kind: 'good' };
export const ERRORS = {
  malformed: 'malformedRequest',
  later: 'tryLater',
  unauthorized: 'unauthorized',
} as const;

export async function logInAs(world: World, owner: string) {
  const token = await tokenFromLoginFile(world, NODE_AGENT);
  const { serialNumber: serial, instance } = await logIn(world, token, requestOf(NODE_AGENT, owner));
  return { serial, instance, token };
}

/** What a verifier is told of each certificate, by POST. */
export async function ask(
  world: World,
  serials: readonly string[],
  question: Question = {},
  authority: FinishedAuthority | null = null,
): Promise<readonly OcspCertStatus[]> {
  const asked = authority ?? (await readActiveAuthority(world.deps));
  const { der } = await answerOcsp(world.deps, world.run, questionAbout(asked, serials, question), false);
  return readAnswer(der).responses.map(({ status }) => status);
}

export function errorOf(der: Uint8Array): string {
  return parseOcspResponse(der).status;
}
