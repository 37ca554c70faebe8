import { reasonOfCode } from './crl-reason.ts';
import {
  childrenOf,
  constructedContextTag,
  contentOf,
  contextTag,
  type DerElement,
  DerFields,
  encodeDer,
  parseDer,
  readEnumerated,
  readOctetString,
  readOctetsOfBitString,
  readOid,
  TAG,
  tagOf,
} from './der-reader.ts';
import { readGeneralizedTime } from './der-time.ts';
import { invalid } from './invalid.ts';
import { readCertId } from './ocsp-cert-id.ts';
import { readOcspExtensions } from './ocsp-extensions.ts';
import {
  OCSP_ERRORS,
  type OcspCertStatus,
  type OcspErrorStatus,
  type OcspResponseInput,
  type OcspSingleResponse,
} from './ocsp-response.ts';
import { OID } from './oids.ts';
import { readSignatureScheme, verifySignature } from './signature-scheme.ts';

const MAXIMUM_RESPONSE_BYTES = 64 * 1024;

/** A BasicOCSPResponse that was read; nothing of it is verified. */
export interface ParsedOcspResponse extends OcspResponseInput {
  readonly status: 'successful';
  /** The ResponseData, which is signed. */
  readonly tbs: Uint8Array;
  readonly signatureAlgorithmDer: Uint8Array;
  readonly signature: Uint8Array;
  /** DER. */
  readonly certificates: readonly Uint8Array[];
}

/**
 * Reads an OCSPResponse of the profile that ocsp-response.ts writes, in strict DER: a responder named by its key, no
 * extension but the nonce.
 * @throws EverleafError InvalidInput; `details.reason` is an InvalidReason.
 */
export function parseOcspResponse(
  der: Uint8Array,
): ParsedOcspResponse | { readonly status: OcspErrorStatus } {
  if (der.length > MAXIMUM_RESPONSE_BYTES) {
    throw invalid(
      'too-large',
      `the answer has ${der.length} bytes, expected at most ${MAXIMUM_RESPONSE_BYTES}`,
    );
  }
  const fields = new DerFields(parseDer(der), 'the answer');
  const status = readEnumerated(fields.take('responseStatus'), 'the status of the answer');
  const bytes = fields.takeOptional(constructedContextTag(0));
  fields.end();
  if (bytes !== null && status === 0) return readBasic(readResponseBytes(bytes));
  const error = ERROR_NAMES.find((name) => OCSP_ERRORS[name] === status);
  if (bytes !== null || error === undefined) {
    throw invalid('malformed', `the answer has the status ${status}, which does not fit what is in it`);
  }
  return { status: error };
}

/**
 * Whether the answer was signed by that key. Who may answer for an authority is not looked at.
 * @param responderSpki a public key that `readPublicKey` accepts.
 * @throws EverleafError InvalidInput with reason `weak-digest` or `unsupported-signature-algorithm`.
 */
export function verifyOcspResponse(response: ParsedOcspResponse, responderSpki: Uint8Array): boolean {
  const scheme = readSignatureScheme(parseDer(response.signatureAlgorithmDer));
  return verifySignature(scheme, responderSpki, response.tbs, response.signature);
}

const ERROR_NAMES = Object.keys(OCSP_ERRORS) as OcspErrorStatus[];

function readResponseBytes(tagged: DerElement): DerElement {
  const explicit = new DerFields(tagged, 'responseBytes', constructedContextTag(0));
  const fields = new DerFields(explicit.take('content'), 'responseBytes');
  explicit.end();
  const type = readOid(fields.take('type'), 'the type of the answer');
  if (type !== OID.ocspBasic) throw invalid('malformed', `the answer has the type ${type}, expected basic`);
  const basic = parseDer(readOctetString(fields.take('response'), 'the answer'));
  fields.end();
  return basic;
}

function readBasic(basic: DerElement): ParsedOcspResponse {
  const fields = new DerFields(basic, 'the basic answer');
  const tbs = fields.take('tbsResponseData');
  const signatureAlgorithmDer = encodeDer(fields.take('signatureAlgorithm'));
  const signature = readOctetsOfBitString(fields.take('signature'), 'the signature');
  const certs = fields.takeOptional(constructedContextTag(0));
  fields.end();
  return {
    ...{ status: 'successful', ...readResponseData(tbs), tbs: encodeDer(tbs) },
    ...{ signatureAlgorithmDer, signature, certificates: certs === null ? [] : readCertificates(certs) },
  };
}

function readCertificates(tagged: DerElement): Uint8Array[] {
  const fields = new DerFields(tagged, 'the certificates', constructedContextTag(0));
  const certificates = childrenOf(fields.take('list'), TAG.sequence, 'the certificates');
  fields.end();
  if (certificates.length === 0) throw invalid('malformed', 'the list of certificates is empty');
  return certificates.map(encodeDer);
}

function readResponseData(element: DerElement): OcspResponseInput {
  const fields = new DerFields(element, 'tbsResponseData');
  const responder = new DerFields(fields.take('responderID'), 'responderID', constructedContextTag(2));
  const responderKeyHash = readOctetString(responder.take('key'), 'the KeyHash of the responder');
  responder.end();
  const producedAt = readGeneralizedTime(fields.take('producedAt'), 'producedAt');
  const responses = childrenOf(fields.take('responses'), TAG.sequence, 'the responses').map(readSingle);
  const tag = constructedContextTag(1);
  const { nonce, count } = readOcspExtensions(fields.takeOptional(tag), tag, 'the extensions of the answer');
  fields.end();
  if (count > (nonce === null ? 0 : 1)) {
    throw invalid('malformed', 'the answer has an extension other than the nonce');
  }
  return { responderKeyHash, producedAt, responses, nonce };
}

function readSingle(element: DerElement): OcspSingleResponse {
  const fields = new DerFields(element, 'a single response');
  const certIdDer = readCertId(fields.take('certID')).der;
  const status = readStatus(fields.take('certStatus'));
  const thisUpdate = readGeneralizedTime(fields.take('thisUpdate'), 'thisUpdate');
  const next = fields.takeOptional(constructedContextTag(0));
  fields.end();
  return { certIdDer, status, thisUpdate, nextUpdate: next === null ? null : readNextUpdate(next) };
}

function readNextUpdate(tagged: DerElement): Date {
  const fields = new DerFields(tagged, 'nextUpdate', constructedContextTag(0));
  const nextUpdate = readGeneralizedTime(fields.take('time'), 'nextUpdate');
  fields.end();
  return nextUpdate;
}

function readStatus(element: DerElement): OcspCertStatus {
  const tag = tagOf(element);
  if (tag === constructedContextTag(1)) return readRevoked(element);
  const kind = tag === contextTag(0) ? 'good' : tag === contextTag(2) ? 'unknown' : null;
  // Both are an implicit NULL.
  if (kind === null || contentOf(element).length > 0) throw invalid('malformed', 'a CertStatus is none');
  return { kind };
}

function readRevoked(element: DerElement): OcspCertStatus {
  const fields = new DerFields(element, 'RevokedInfo', constructedContextTag(1));
  const revokedAt = readGeneralizedTime(fields.take('revocationTime'), 'revocationTime');
  const tagged = fields.takeOptional(constructedContextTag(0));
  fields.end();
  if (tagged === null) return { kind: 'revoked', revokedAt, reason: 'unspecified' };
  const field = new DerFields(tagged, 'revocationReason', constructedContextTag(0));
  const code = readEnumerated(field.take('code'), 'revocationReason');
  field.end();
  const reason = reasonOfCode(code);
  if (reason === null)
    throw invalid('malformed', `revocationReason is ${code}, which is none that is written`);
  return { kind: 'revoked', revokedAt, reason };
}
