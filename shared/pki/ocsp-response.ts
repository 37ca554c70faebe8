import { wholeSecond } from '../domain/instants.ts';
import { type CrlReason, reasonCodeOf } from './crl-reason.ts';
import { type DerElement, encodeDer } from './der-reader.ts';
import {
  derConstructedContext,
  derContext,
  derEnumerated,
  derGeneralizedTime,
  derOctetString,
  derOid,
  derSequence,
  rawDer,
} from './der-writer.ts';
import { ocspNonce, writeExtension } from './extension-writer.ts';
import { OID } from './oids.ts';
import { type SignatureAlgorithmName, writeSignature, writeSignatureAlgorithm } from './signature.ts';

/** CertStatus, RFC 6960 section 4.2.1. */
export type OcspCertStatus =
  | { readonly kind: 'good' }
  /** `revokedAt` is cut down to the whole second, as in a revocation list. */
  | { readonly kind: 'revoked'; readonly revokedAt: Date; readonly reason: CrlReason }
  /** This responder does not know the certificate: it was never issued, or by somebody else. */
  | { readonly kind: 'unknown' };

export interface OcspSingleResponse {
  /** The CertID as it was asked for. */
  readonly certIdDer: Uint8Array;
  readonly status: OcspCertStatus;
  /** Whole seconds: when the status was known to be right. */
  readonly thisUpdate: Date;
  /** Whole seconds: when there will be newer information; null says that there always is. */
  readonly nextUpdate: Date | null;
}

export interface OcspResponseInput {
  /** `publicKeyDigest` of the responder's key with SHA-1. */
  readonly responderKeyHash: Uint8Array;
  /** Whole seconds. */
  readonly producedAt: Date;
  readonly responses: readonly OcspSingleResponse[];
  /** The nonce of the request, 1 to 128 bytes. */
  readonly nonce: Uint8Array | null;
}

/**
 * The ResponseData of RFC 6960 section 4.2.1, to be signed. The responder is named by its key: its certificate is
 * renewed every few days, its name says nothing.
 * @throws EverleafError Internal for dates that it cannot carry.
 */
export function buildOcspResponseData(input: OcspResponseInput): Uint8Array {
  const extensions =
    input.nonce === null
      ? []
      : [derConstructedContext(1, derSequence(writeExtension(ocspNonce(input.nonce))))];
  return encodeDer(
    derSequence(
      derConstructedContext(2, derOctetString(input.responderKeyHash)),
      derGeneralizedTime(input.producedAt),
      derSequence(...input.responses.map(writeSingleResponse)),
      ...extensions,
    ),
  );
}

/**
 * Puts a successful OCSPResponse with its BasicOCSPResponse together. It does not verify the signature: the caller
 * does, with `verifyOcspResponse`, before the answer leaves.
 * @param tbs the ResponseData, exactly the bytes whose digest was signed.
 * @param signature as Key Vault and JWS return it: r and s for ES*, the signature's octets for RS*.
 * @param certificates DER; the delegated responder's own certificate, so that nobody has to look for it.
 * @throws EverleafError Internal when the signature has not the algorithm's length.
 */
export function assembleOcspResponse(
  tbs: Uint8Array,
  name: SignatureAlgorithmName,
  signature: Uint8Array,
  certificates: readonly Uint8Array[],
): Uint8Array {
  const certs =
    certificates.length === 0 ? [] : [derConstructedContext(0, derSequence(...certificates.map(rawDer)))];
  const basic = derSequence(
    rawDer(tbs),
    writeSignatureAlgorithm(name),
    writeSignature(name, signature),
    ...certs,
  );
  const bytes = derSequence(derOid(OID.ocspBasic), derOctetString(encodeDer(basic)));
  return encodeDer(derSequence(derEnumerated(0), derConstructedContext(0, bytes)));
}

/** OCSPResponseStatus without the successful one and those that Everleaf never answers. */
export const OCSP_ERRORS = {
  malformedRequest: 1,
  internalError: 2,
  tryLater: 3,
  unauthorized: 6,
} as const;
export type OcspErrorStatus = keyof typeof OCSP_ERRORS;

/** An OCSPResponse that is an error: it is not signed (RFC 6960 section 4.2.1), five bytes long, always the same. */
export function ocspError(status: OcspErrorStatus): Uint8Array {
  return encodeDer(derSequence(derEnumerated(OCSP_ERRORS[status])));
}

function writeSingleResponse({ certIdDer, status, thisUpdate, nextUpdate }: OcspSingleResponse): DerElement {
  const next = nextUpdate === null ? [] : [derConstructedContext(0, derGeneralizedTime(nextUpdate))];
  return derSequence(rawDer(certIdDer), writeStatus(status), derGeneralizedTime(thisUpdate), ...next);
}

function writeStatus(status: OcspCertStatus): DerElement {
  if (status.kind === 'good') return derContext(0, new Uint8Array());
  if (status.kind === 'unknown') return derContext(2, new Uint8Array());
  const code = reasonCodeOf(status.reason);
  const reason = code === null ? [] : [derConstructedContext(0, derEnumerated(code))];
  return derConstructedContext(1, derGeneralizedTime(wholeSecond(status.revokedAt)), ...reason);
}
