import { constants, verify } from 'node:crypto';
import {
  constructedContextTag,
  type DerElement,
  DerFields,
  readOid,
  readSmallInteger,
  TAG,
} from './der-reader.ts';
import { importPublicKey } from './import-public-key.ts';
import { invalid } from './invalid.ts';
import { OID } from './oids.ts';

type Hash = 'sha256' | 'sha384' | 'sha512';

/** How a signature on a request or a certificate was made. */
export type SignatureScheme =
  | { readonly kind: 'RSA-PKCS1'; readonly keyType: 'RSA'; readonly hash: Hash }
  | { readonly kind: 'RSA-PSS'; readonly keyType: 'RSA'; readonly hash: Hash; readonly saltBytes: number }
  | { readonly kind: 'ECDSA'; readonly keyType: 'EC'; readonly hash: Hash };

const SCHEMES: Readonly<Record<string, SignatureScheme>> = {
  [OID.sha256WithRsa]: { kind: 'RSA-PKCS1', keyType: 'RSA', hash: 'sha256' },
  [OID.sha384WithRsa]: { kind: 'RSA-PKCS1', keyType: 'RSA', hash: 'sha384' },
  [OID.sha512WithRsa]: { kind: 'RSA-PKCS1', keyType: 'RSA', hash: 'sha512' },
  [OID.ecdsaWithSha256]: { kind: 'ECDSA', keyType: 'EC', hash: 'sha256' },
  [OID.ecdsaWithSha384]: { kind: 'ECDSA', keyType: 'EC', hash: 'sha384' },
  [OID.ecdsaWithSha512]: { kind: 'ECDSA', keyType: 'EC', hash: 'sha512' },
};

/** Known schemes with a digest below SHA-256, so that the refusal can say what was found. */
const WEAK_DIGESTS: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.2': 'MD2',
  '1.2.840.113549.1.1.3': 'MD4',
  '1.2.840.113549.1.1.4': 'MD5',
  '1.2.840.113549.1.1.5': 'SHA-1',
  '1.3.14.3.2.29': 'SHA-1',
  '1.2.840.113549.1.1.14': 'SHA-224',
  '1.2.840.10045.4.1': 'SHA-1',
  '1.2.840.10045.4.3.1': 'SHA-224',
};

const HASHES: Readonly<Record<string, Hash>> = {
  [OID.sha256]: 'sha256',
  [OID.sha384]: 'sha384',
  [OID.sha512]: 'sha512',
};

/** Longer than any salt that fits a key of 4096 bits. */
const MAXIMUM_SALT_BYTES = 512;

/**
 * Reads an AlgorithmIdentifier of a signature: RSA PKCS#1 v1.5, RSASSA-PSS or ECDSA, over SHA-256, SHA-384 or
 * SHA-512 (RFC 4055, RFC 5758).
 * @throws EverleafError InvalidInput with reason `weak-digest`, `unsupported-signature-algorithm` or `malformed`.
 */
export function readSignatureScheme(element: DerElement): SignatureScheme {
  const fields = new DerFields(element, 'the signature algorithm');
  const oid = readOid(fields.take('identifier'), 'the signature algorithm');
  const weak = WEAK_DIGESTS[oid];
  if (weak !== undefined) throw weakDigest(weak);
  if (oid === OID.rsassaPss) {
    const scheme = readPssParameters(fields.take('parameters'));
    fields.end();
    return scheme;
  }
  const scheme = SCHEMES[oid];
  if (scheme === undefined) {
    throw unsupported(
      `the signature algorithm is ${oid}, expected RSA or ECDSA with SHA-256, SHA-384 or SHA-512`,
    );
  }
  // RFC 4055 section 5: an absent NULL must be accepted as well. ECDSA has no parameters at all.
  if (scheme.keyType === 'RSA') fields.takeOptional(TAG.null);
  fields.end();
  return scheme;
}

/**
 * Whether `signature` over `data` was made by the key. False as well when the key is of another type than the scheme.
 * @param spki a public key that `readPublicKey` accepts.
 */
export function verifySignature(
  scheme: SignatureScheme,
  spki: Uint8Array,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  const key = importPublicKey(spki);
  if (key.asymmetricKeyType !== scheme.keyType.toLowerCase()) return false;
  switch (scheme.kind) {
    case 'ECDSA':
      return verify(scheme.hash, data, { key, dsaEncoding: 'der' }, signature);
    case 'RSA-PKCS1':
      return verify(scheme.hash, data, { key, padding: constants.RSA_PKCS1_PADDING }, signature);
    case 'RSA-PSS':
      return verify(
        scheme.hash,
        data,
        { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: scheme.saltBytes },
        signature,
      );
  }
}

/**
 * RSASSA-PSS-params, RFC 4055 section 3.1. Every default of it is SHA-1, so hash and mask must both be given; the
 * mask must use the same hash, as section 3.1 recommends and node:crypto assumes.
 */
function readPssParameters(element: DerElement): SignatureScheme {
  const fields = new DerFields(element, 'the PSS parameters');
  const hashField = fields.takeOptional(constructedContextTag(0));
  const maskField = fields.takeOptional(constructedContextTag(1));
  const saltField = fields.takeOptional(constructedContextTag(2));
  // The fourth, trailerField, has one legal value, which is its default and therefore absent in DER.
  fields.end();
  if (hashField === null || maskField === null) throw weakDigest('SHA-1');
  const hash = readHash(onlyMember(hashField, 0));
  const mask = new DerFields(onlyMember(maskField, 1), 'the mask generation function');
  const maskOid = readOid(mask.take('identifier'), 'the mask generation function');
  if (maskOid !== OID.mgf1) throw unsupported(`the mask generation function is ${maskOid}, expected MGF1`);
  if (readHash(mask.take('hash')) !== hash) throw unsupported('MGF1 uses another hash than the signature');
  mask.end();
  const salt = saltField === null ? 20 : readSmallInteger(onlyMember(saltField, 2), 'the salt length');
  if (salt < 0 || salt > MAXIMUM_SALT_BYTES)
    throw invalid('malformed', 'the PSS salt length is out of range');
  return { kind: 'RSA-PSS', keyType: 'RSA', hash, saltBytes: salt };
}

function onlyMember(element: DerElement, number: number): DerElement {
  const fields = new DerFields(element, 'a PSS parameter', constructedContextTag(number));
  const member = fields.take('value');
  fields.end();
  return member;
}

function readHash(element: DerElement): Hash {
  const fields = new DerFields(element, 'the PSS hash');
  const oid = readOid(fields.take('identifier'), 'the PSS hash');
  fields.takeOptional(TAG.null);
  fields.end();
  const hash = HASHES[oid];
  if (hash === undefined) throw weakDigest(oid === '1.3.14.3.2.26' ? 'SHA-1' : oid);
  return hash;
}

function weakDigest(found: string) {
  return invalid(
    'weak-digest',
    `the signature uses the digest ${found}, expected SHA-256, SHA-384 or SHA-512`,
  );
}

function unsupported(clause: string) {
  return invalid('unsupported-signature-algorithm', clause);
}
