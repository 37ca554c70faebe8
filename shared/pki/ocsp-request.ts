import {
  childrenOf,
  constructedContextTag,
  type DerElement,
  DerFields,
  parseDer,
  TAG,
} from './der-reader.ts';
import { invalid } from './invalid.ts';
import { type CertId, readCertId } from './ocsp-cert-id.ts';
import { readOcspExtensions } from './ocsp-extensions.ts';

/** Limits on what a stranger may send; a request for one certificate has about 120 bytes. */
export const MAXIMUM_OCSP_REQUEST_BYTES = 16 * 1024;
const MAXIMUM_SINGLE_REQUESTS = 20;

export interface OcspRequest {
  /** 1 to 20, in their order. */
  readonly certIds: readonly CertId[];
  /** 1 to 128 bytes that the answer must repeat, or null. */
  readonly nonce: Uint8Array | null;
}

/**
 * Reads an OCSPRequest, RFC 6960 section 4.1.1, in strict DER. Who asks does not matter to the answer, so a
 * requestor's name and a signature are passed over. An extension that is critical and not the nonce is refused
 * (section 4.4), any other is passed over.
 *
 * Every refusal is answered with `malformedRequest`.
 *
 * @throws EverleafError InvalidInput; `details.reason` is an InvalidReason.
 */
export function parseOcspRequest(der: Uint8Array): OcspRequest {
  if (der.length > MAXIMUM_OCSP_REQUEST_BYTES) {
    const limit = MAXIMUM_OCSP_REQUEST_BYTES;
    throw invalid('too-large', `the request has ${der.length} bytes, expected at most ${limit}`);
  }
  const outer = new DerFields(parseDer(der), 'the request');
  const fields = new DerFields(outer.take('tbsRequest'), 'tbsRequest');
  outer.takeOptional(constructedContextTag(0));
  outer.end();
  // Version 1 is the default and therefore absent in DER (X.690 11.5); there is no other.
  if (fields.takeOptional(constructedContextTag(0)) !== null) {
    throw invalid('unsupported-version', 'the request spells out a version, expected 1, which is left out');
  }
  fields.takeOptional(constructedContextTag(1));
  const requests = childrenOf(fields.take('requestList'), TAG.sequence, 'requestList');
  const tag = constructedContextTag(2);
  const { nonce } = readOcspExtensions(fields.takeOptional(tag), tag, 'the extensions of the request');
  fields.end();
  if (requests.length === 0) throw invalid('malformed', 'the request asks about no certificate');
  if (requests.length > MAXIMUM_SINGLE_REQUESTS) {
    throw invalid(
      'too-many-requests',
      `the request asks about ${requests.length} certificates, expected at most ${MAXIMUM_SINGLE_REQUESTS}`,
    );
  }
  return { certIds: requests.map(readSingleRequest), nonce };
}

function readSingleRequest(element: DerElement): CertId {
  const fields = new DerFields(element, 'a single request');
  const certId = readCertId(fields.take('reqCert'));
  const tag = constructedContextTag(0);
  readOcspExtensions(fields.takeOptional(tag), tag, 'the extensions of a single request');
  fields.end();
  return certId;
}
