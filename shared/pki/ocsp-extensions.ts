import { type DerElement, DerFields, parseDer, readOctetString } from './der-reader.ts';
import { readExtensions } from './extension-reader.ts';
import { invalid } from './invalid.ts';
import { OID } from './oids.ts';

const MAXIMUM_EXTENSIONS = 8;

/** RFC 9654 section 2.1. */
const MAXIMUM_NONCE_BYTES = 128;

/**
 * Reads the extensions of an OCSP message, of which the nonce alone means anything here.
 * @param tagged the explicit tag around them, or null when there are none
 * @param name what they are, for errors
 * @throws EverleafError InvalidInput, reason `malformed`, for a critical extension other than the nonce, and for a nonce
 *   that has not 1 to 128 bytes
 */
export function readOcspExtensions(
  tagged: DerElement | null,
  tag: number,
  name: string,
): { readonly nonce: Uint8Array | null; readonly count: number } {
  if (tagged === null) return { nonce: null, count: 0 };
  const fields = new DerFields(tagged, name, tag);
  const extensions = readExtensions(fields.take('list'), MAXIMUM_EXTENSIONS);
  fields.end();
  if (extensions.length === 0) throw invalid('malformed', `${name} are empty`);
  let nonce: Uint8Array | null = null;
  for (const { oid, critical, value } of extensions) {
    if (oid === OID.ocspNonce) nonce = readNonce(value);
    else if (critical) throw invalid('malformed', `${name} hold the critical extension ${oid}`);
  }
  return { nonce, count: extensions.length };
}

function readNonce(value: Uint8Array): Uint8Array {
  const nonce = readOctetString(parseDer(value), 'the nonce');
  if (nonce.length < 1 || nonce.length > MAXIMUM_NONCE_BYTES) {
    throw invalid('malformed', `the nonce has ${nonce.length} bytes, expected 1 to ${MAXIMUM_NONCE_BYTES}`);
  }
  return nonce;
}
