import { encodeDer } from '../../../../shared/pki/der-reader.ts';
import { derOid } from '../../../../shared/pki/der-writer.ts';
import { publicKeyDigest } from '../../../../shared/pki/ocsp-cert-id.ts';
import {
  assembleOcspResponse,
  buildOcspResponseData,
  type OcspResponseInput,
} from '../../../../shared/pki/ocsp-response.ts';
import { readPublicKey } from '../../../../shared/pki/public-key.ts';
import { buildResponderTbs, type ResponderInput } from '../../../../shared/pki/responder-certificate.ts';
import { signatureAlgorithmFor } from '../../../../shared/pki/signature.ts';
import { type TestAuthority, vaultSign } from './authority.ts';
import { type KeyPair, keyPair } from './keys.ts';
import { context, hex, integer, nothing, type Octets, octetString, oid, sequence } from './tlv.ts';

/** What the certificate of a responder of the authority would be made from. */
export function responderInput(
  { certificate, signatureAlgorithm }: TestAuthority,
  key: KeyPair = keyPair('P-256', 'responder'),
): ResponderInput {
  return {
    serialNumber: `0b${'4d'.repeat(15)}`,
    notBefore: new Date('2026-05-30T00:00:00Z'),
    notAfter: new Date('2026-06-05T23:59:59Z'),
    issuer: {
      subjectDer: certificate.subjectDer,
      subjectKeyId: certificate.subjectKeyId ?? new Uint8Array(),
    },
    subject: { commonName: 'Everleaf OCSP responder 1' },
    spki: key.spki,
    signatureAlgorithm,
  };
}

/** An answer of the authority's delegated responder, signed. */
export function answer(
  authority: TestAuthority,
  parts: Omit<OcspResponseInput, 'responderKeyHash' | 'producedAt'>,
  key: KeyPair = keyPair('P-256', 'responder'),
): Uint8Array {
  const tbs = buildOcspResponseData({
    responderKeyHash: publicKeyDigest(key.spki, 'sha1'),
    producedAt: new Date('2026-06-01T00:00:00Z'),
    ...parts,
  });
  const algorithm = signatureAlgorithmFor(readPublicKey(key.spki));
  const certificate = authority.issue(buildResponderTbs(responderInput(authority, key)));
  return assembleOcspResponse(tbs, algorithm, vaultSign(key, algorithm, tbs), [certificate]);
}

export const SHA1 = '1.3.14.3.2.26';
export const SHA256 = '2.16.840.1.101.3.4.2.1';
export const NONCE = '1.3.6.1.5.5.7.48.1.2';

/** A CertID by hand; the digests are of the right length unless given. */
export function certId({ hash = SHA1, serial = '0a3c', digest = new Uint8Array(20).fill(7) } = {}): Octets {
  return sequence(sequence(oid(hash), nothing()), octetString(digest), octetString(digest), integer(serial));
}

/** An extension by hand; `critical` is the DER of the flag, or nothing. */
export function rawExtension(type: string, value: Octets, critical: Octets = hex('')): Octets {
  return sequence(Buffer.from(encodeDer(derOid(type))), critical, octetString(value));
}

/** An OCSPRequest by hand. */
export function ocspRequest(requests: readonly Octets[], extensions: readonly Octets[] = []): Octets {
  const tagged = extensions.length === 0 ? [] : [context(2, sequence(...extensions))];
  return sequence(sequence(sequence(...requests), ...tagged));
}
