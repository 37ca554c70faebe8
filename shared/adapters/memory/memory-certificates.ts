import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { isSameBytes, toHex } from '../../domain/encoding.ts';
import { EverleafError } from '../../domain/errors.ts';
import type { Validity } from '../../domain/policy.ts';
import { buildAuthorityTbs } from '../../pki/authority-certificate.ts';
import { parseCertificate } from '../../pki/certificate.ts';
import { encodeDer } from '../../pki/der-reader.ts';
import {
  derBitString,
  derConstructedContext,
  derSequence,
  derUnsignedInteger,
  rawDer,
} from '../../pki/der-writer.ts';
import { encodeName } from '../../pki/distinguished-name.ts';
import { readPublicKey } from '../../pki/public-key.ts';
import {
  assembleCertificate,
  SIGNATURE_ALGORITHMS,
  type SignatureAlgorithmName,
  signatureAlgorithmFor,
  writeSignatureAlgorithm,
} from '../../pki/signature.ts';
import type { KeySpec } from '../../ports/credential-vault.ts';

/** The key pair that a spec asks for, made by node:crypto. */
export function makeKeyPair(spec: Pick<KeySpec, 'keyType'>): KeyObject {
  if (spec.keyType === 'EC-P256') return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  return generateKeyPairSync('rsa', { modulusLength: Number(spec.keyType.slice('RSA-'.length)) }).privateKey;
}

/** Keys are asked for their public half again and again, which takes as long as a signature of theirs. */
const spkis = new WeakMap<KeyObject, Uint8Array>();

/** The SubjectPublicKeyInfo of a key; not to be written to. */
export function spkiOf(key: KeyObject): Uint8Array {
  const known = spkis.get(key);
  if (known !== undefined) return known;
  const spki = new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }));
  spkis.set(key, spki);
  return spki;
}

/** Signs as JWS does: r and s for EC. */
export function signRaw(key: KeyObject, algorithm: SignatureAlgorithmName, data: Uint8Array): Uint8Array {
  const { hash } = SIGNATURE_ALGORITHMS[algorithm];
  return Uint8Array.from(sign(hash, data, { key, dsaEncoding: 'ieee-p1363' }));
}

/** Requests of RSA keys, which sign the same always in the same way (RFC 8017 section 8.2), by their subject. */
const rsaRequests = new WeakMap<KeyObject, Map<string, Uint8Array>>();

/** A PKCS#10 request for the key (RFC 2986), as small as one can be; not to be written to. */
export function makeRequest(spec: KeySpec, key: KeyObject): Uint8Array {
  if (key.asymmetricKeyType !== 'rsa') return signRequest(spec, key);
  const subject = toHex(encodeName(subjectOf(spec)));
  const known = rsaRequests.get(key) ?? new Map<string, Uint8Array>();
  const request = known.get(subject) ?? signRequest(spec, key);
  rsaRequests.set(key, known.set(subject, request));
  return request;
}

function signRequest(spec: KeySpec, key: KeyObject): Uint8Array {
  const spki = spkiOf(key);
  const algorithm = signatureAlgorithmFor(readPublicKey(spki));
  const info = encodeDer(
    derSequence(
      derUnsignedInteger(Uint8Array.of(0)),
      rawDer(encodeName(subjectOf(spec))),
      rawDer(spki),
      derConstructedContext(0),
    ),
  );
  const { hash } = SIGNATURE_ALGORITHMS[algorithm];
  const signature = Uint8Array.from(sign(hash, info, key));
  return encodeDer(derSequence(rawDer(info), writeSignatureAlgorithm(algorithm), derBitString(signature)));
}

/** A certificate signed by its own key; good for carrying the key and for nothing else. */
export function makeSelfSigned(
  spec: KeySpec,
  key: KeyObject,
  validity: Validity,
  serial: Uint8Array,
): Uint8Array {
  const spki = spkiOf(key);
  const signatureAlgorithm = signatureAlgorithmFor(readPublicKey(spki));
  const tbs = buildAuthorityTbs({
    serialNumber: toHex(serial),
    notBefore: validity.notBefore,
    notAfter: validity.notAfter,
    subjectDer: encodeName(subjectOf(spec)),
    spki,
    pathLength: 0,
    signatureAlgorithm,
  });
  return assembleCertificate(tbs, signatureAlgorithm, signRaw(key, signatureAlgorithm, tbs));
}

/** @throws EverleafError VaultRefused when a certificate is for another key than the one that waits */
export function assertSameKey(name: string, der: Uint8Array, key: KeyObject): void {
  if (isSameBytes(parseCertificate(der).spki, spkiOf(key))) return;
  throw new EverleafError('VaultRefused', `Cannot merge into "${name}": the certificate is for another key.`);
}

function subjectOf({ commonName, organization }: KeySpec) {
  return organization === null ? { commonName } : { commonName, organization };
}
