import { EverleafError } from '../domain/errors.ts';
import { type CrlEntry, writeCrlEntry } from './crl-entry-writer.ts';
import { derBytes } from './der-bytes.ts';
import { constructedContextTag, encodeDer, TAG } from './der-reader.ts';
import { derSequence, derTime, derUnsignedInteger } from './der-writer.ts';
import { authorityKeyId, crlNumber, writeExtension } from './extension-writer.ts';
import { GrowingBytes } from './growing-bytes.ts';
import { type SignatureAlgorithmName, writeSignature, writeSignatureAlgorithm } from './signature.ts';

export interface CrlInput {
  /** The authority's subject, byte for byte. */
  readonly issuerDer: Uint8Array;
  /** The authority's subject key identifier. */
  readonly authorityKeyId: Uint8Array;
  /** Grows from list to list; at most 20 octets (RFC 5280 section 5.2.3). */
  readonly crlNumber: bigint | number;
  /** Whole seconds. */
  readonly thisUpdate: Date;
  /** Whole seconds. */
  readonly nextUpdate: Date;
  /** In the order in which they are to stand; `lintCrl` wants them by serial number, and goes through them again. */
  readonly entries: Iterable<CrlEntry>;
  /** Of the authority's key. */
  readonly signatureAlgorithm: SignatureAlgorithmName;
}

/**
 * The TBSCertList of a full list of one authority (RFC 5280 section 5.1), to be linted by `lintCrl`, then signed.
 *
 * Profile, section 5.2: version 2; authorityKeyIdentifier and cRLNumber; no others, for the list is neither indirect
 * nor a delta. revokedCertificates is absent when nothing is revoked (section 5.1.2.6).
 *
 * Each entry is encoded once and added to one run of bytes, so that time grows with the number of entries and memory
 * is a few times the size of the list.
 *
 * @throws EverleafError Internal for what a list cannot carry.
 */
export function buildCrlTbs(input: CrlInput): Uint8Array {
  const entries = new GrowingBytes();
  for (const entry of input.entries) entries.add(writeCrlEntry(entry));
  const extensions = [authorityKeyId(input.authorityKeyId), crlNumber(numberBytes(input.crlNumber))];
  return derBytes(
    TAG.sequence,
    encodeDer(derUnsignedInteger(Uint8Array.of(1))),
    encodeDer(writeSignatureAlgorithm(input.signatureAlgorithm)),
    input.issuerDer,
    encodeDer(derTime(input.thisUpdate)),
    encodeDer(derTime(input.nextUpdate)),
    ...(entries.bytes.length === 0 ? [] : [derBytes(TAG.sequence, entries.bytes)]),
    derBytes(constructedContextTag(0), encodeDer(derSequence(...extensions.map(writeExtension)))),
  );
}

/**
 * Puts a list together. It does not verify the signature: the caller does, with `verifyCrl`, before the list leaves.
 * @param tbs the TBSCertList, exactly the bytes whose digest was signed.
 * @param signature as Key Vault and JWS return it: r and s for ES*, the signature's octets for RS*.
 * @throws EverleafError Internal when the signature has not the algorithm's length.
 */
export function assembleCrl(
  tbs: Uint8Array,
  name: SignatureAlgorithmName,
  signature: Uint8Array,
): Uint8Array {
  const algorithm = encodeDer(writeSignatureAlgorithm(name));
  return derBytes(TAG.sequence, tbs, algorithm, encodeDer(writeSignature(name, signature)));
}

function numberBytes(number: bigint | number): Uint8Array {
  const isWhole = typeof number === 'bigint' || Number.isSafeInteger(number);
  // Twenty octets of two's complement hold 159 bits.
  if (!isWhole || number < 0 || number >= 2n ** 159n) {
    throw new EverleafError(
      'Internal',
      `Cannot write the CRL number ${number}: expected a whole number of 0 to 2^159 - 1.`,
    );
  }
  const digits = number.toString(16);
  return Uint8Array.from(Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex'));
}
