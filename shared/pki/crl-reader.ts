import { readCrlEntry } from './crl-entry-reader.ts';
import type { CrlEntry } from './crl-entry-writer.ts';
import { DerCursor, type DerSlice, sliceDer } from './der-cursor.ts';
import {
  constructedContextTag,
  DerFields,
  parseDer,
  readInteger,
  readOctetsOfBitString,
  readSmallInteger,
  TAG,
} from './der-reader.ts';
import { parseTimeText } from './der-time.ts';
import { readName } from './distinguished-name.ts';
import { readAuthorityKeyIdentifier, readExtensions } from './extension-reader.ts';
import { invalid } from './invalid.ts';
import { OID } from './oids.ts';
import { MAXIMUM_SERIAL_OCTETS } from './serial-number.ts';
import { readSignatureScheme, verifySignature } from './signature-scheme.ts';

/** Room for about 800,000 entries with a reason. */
const MAXIMUM_CRL_BYTES = 64 * 1024 * 1024;

/** What a TBSCertList says (RFC 5280 section 5.1.2). */
export interface ParsedTbsCrl {
  /** The signed bytes themselves. */
  readonly tbs: Uint8Array;
  /** The AlgorithmIdentifier inside, DER. */
  readonly signatureAlgorithmDer: Uint8Array;
  /** The Name, byte for byte. */
  readonly issuerDer: Uint8Array;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly authorityKeyId: Uint8Array;
  /** cRLNumber. */
  readonly number: bigint;
  /**
   * The entries in their order, each read when it is asked for: a long list costs no memory.
   * @throws EverleafError InvalidInput, reason `malformed`, at the first that cannot be read.
   */
  entries(): Generator<CrlEntry>;
}

export interface ParsedCrl extends ParsedTbsCrl {
  readonly der: Uint8Array;
  /** The AlgorithmIdentifier beside the signature, DER; the same bytes as the one inside. */
  readonly outerAlgorithmDer: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * Reads a revocation list of the profile that crl.ts writes, in strict DER: version 2, a nextUpdate, the two
 * extensions of the profile and no other. Nothing is verified but that both algorithm identifiers are the same
 * (RFC 5280 section 5.1.1.2); entries are only known to be DER until `entries` reads them.
 * @throws EverleafError InvalidInput; `details.reason` is an InvalidReason.
 */
export function parseCrl(der: Uint8Array): ParsedCrl {
  const fields = new DerCursor(sliceCrl(der), 'the list');
  const tbs = readTbs(fields.takeAny('tbsCertList'));
  const outerAlgorithmDer = fields.takeAny('signatureAlgorithm').der;
  const signature = readOctetsOfBitString(parseDer(fields.takeAny('signature').der), 'the signature');
  fields.end();
  if (Buffer.compare(outerAlgorithmDer, tbs.signatureAlgorithmDer) !== 0) {
    throw invalid('malformed', 'the list names one signature algorithm inside and another one outside');
  }
  return { ...tbs, der, outerAlgorithmDer, signature };
}

/**
 * Reads a TBSCertList, the part that is signed.
 * @throws EverleafError InvalidInput; `details.reason` is an InvalidReason.
 */
export function parseTbsCrl(tbs: Uint8Array): ParsedTbsCrl {
  return readTbs(sliceCrl(tbs));
}

/**
 * Whether the list's signature was made by that key. It says nothing about names and dates.
 * @param issuerSpki a public key that `readPublicKey` accepts.
 * @throws EverleafError InvalidInput with reason `weak-digest` or `unsupported-signature-algorithm`.
 */
export function verifyCrl(crl: ParsedCrl, issuerSpki: Uint8Array): boolean {
  const scheme = readSignatureScheme(parseDer(crl.outerAlgorithmDer));
  return verifySignature(scheme, issuerSpki, crl.tbs, crl.signature);
}

function sliceCrl(bytes: Uint8Array): DerSlice {
  if (bytes.length > MAXIMUM_CRL_BYTES) {
    const limit = MAXIMUM_CRL_BYTES;
    throw invalid('too-large', `the list has ${bytes.length} bytes, expected at most ${limit}`);
  }
  return sliceDer(bytes);
}

function readTbs(slice: DerSlice): ParsedTbsCrl {
  const fields = new DerCursor(slice, 'tbsCertList');
  // Without the field the version is 1, which has no extensions.
  const version = fields.takeOptional(TAG.integer);
  if (version === null || readSmallInteger(parseDer(version.der), 'the version') !== 1) {
    throw invalid('unsupported-version', 'the list has another version than 2');
  }
  const signatureAlgorithmDer = fields.takeAny('signature').der;
  const issuerDer = fields.takeAny('issuer').der;
  readName(parseDer(issuerDer), 'the issuer');
  const thisUpdate = parseTimeText(fields.takeAny('thisUpdate'), 'thisUpdate');
  // RFC 5280 section 5.1.2.5 wants it in every list; without it a list would never be too old.
  const nextUpdate = parseTimeText(fields.takeAny('nextUpdate'), 'nextUpdate');
  const revoked = fields.takeOptional(TAG.sequence);
  const extensions = readCrlExtensions(fields.take('extensions', constructedContextTag(0)));
  fields.end();
  if (revoked?.content.length === 0) {
    throw invalid('malformed', 'the list of revoked certificates is empty, expected none (RFC 5280 5.1.2.6)');
  }
  return {
    ...{ tbs: slice.der, signatureAlgorithmDer, issuerDer, thisUpdate, nextUpdate, ...extensions },
    *entries() {
      for (const entry of revoked?.members() ?? []) yield readCrlEntry(entry);
    },
  };
}

function readCrlExtensions(slice: DerSlice): Pick<ParsedTbsCrl, 'authorityKeyId' | 'number'> {
  const fields = new DerFields(parseDer(slice.der), 'the extensions', constructedContextTag(0));
  const [keyId, number, ...others] = readExtensions(fields.take('list'), 8);
  fields.end();
  // Section 5.2: a list with a critical extension that is not understood, of a delta for example, must not be used.
  if (keyId?.oid !== OID.authorityKeyIdentifier || number?.oid !== OID.crlNumber || others.length > 0) {
    throw invalid('malformed', 'the extensions are not authorityKeyIdentifier and cRLNumber, in this order');
  }
  if (keyId.critical || number.critical) throw invalid('malformed', 'an extension of the list is critical');
  const identifier = readAuthorityKeyIdentifier(keyId.value);
  if (identifier.keyId === null || !identifier.onlyKeyId) {
    throw invalid('malformed', 'authorityKeyIdentifier is not a key identifier alone');
  }
  return { authorityKeyId: identifier.keyId, number: readNumber(number.value) };
}

/** RFC 5280 section 5.2.3: never negative, at most 20 octets. */
function readNumber(value: Uint8Array): bigint {
  const element = parseDer(value);
  const number = readInteger(element, 'cRLNumber');
  // Tag and length take one octet each.
  if (number < 0n || value.length - 2 > MAXIMUM_SERIAL_OCTETS) {
    throw invalid('malformed', 'cRLNumber is not a number of 0 to 2^159 - 1');
  }
  return number;
}
