import { createCipheriv, createDecipheriv, pbkdf2Sync, randomBytes } from 'node:crypto';
import { AlgorithmIdentifier } from '@peculiar/asn1-x509';
import * as asn1js from 'asn1js';
import { FOR_ENCRYPTION, FOR_IV, passwordKey } from './password-key.ts';

/** pbeWithSHAAnd3-KeyTripleDES-CBC (RFC 7292, appendix C): what the service's own files are encrypted with. */
const PBE_SHA1_3DES = '1.2.840.113549.1.12.1.3';
/** RFC 8018, appendix A.4. */
const PBES2 = '1.2.840.113549.1.5.13';
const PBKDF2 = '1.2.840.113549.1.5.12';

const AES_CBC: Readonly<Record<string, { cipher: string; octets: number }>> = {
  '2.16.840.1.101.3.4.1.2': { cipher: 'aes-128-cbc', octets: 16 },
  '2.16.840.1.101.3.4.1.22': { cipher: 'aes-192-cbc', octets: 24 },
  '2.16.840.1.101.3.4.1.42': { cipher: 'aes-256-cbc', octets: 32 },
};

const HMAC_HASHES: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};

/** The recorded files of the service say 2000. */
const ITERATIONS = 2000;

/**
 * Decrypts what a password protects.
 * @throws Error when the password is wrong or the algorithm is none of these (RC2 of old files among them)
 */
export function decrypt(algorithm: AlgorithmIdentifier, encrypted: Uint8Array, password: string): Buffer {
  const parameters = parse(algorithm.parameters);
  const decipher =
    algorithm.algorithm === PBE_SHA1_3DES
      ? tripleDes(parameters, password)
      : algorithm.algorithm === PBES2
        ? pbes2(parameters, password)
        : unsupported(algorithm.algorithm);
  return Buffer.concat([decipher.update(encrypted), decipher.final()]);
}

/** Encrypts as the service does: three-key triple DES, with a salt of its own. */
export function encrypt(
  content: Uint8Array,
  password: string,
): { algorithm: AlgorithmIdentifier; encrypted: Buffer } {
  const salt = randomBytes(8);
  const cipher = createCipheriv('des-ede3-cbc', ...tripleDesKey(password, salt, ITERATIONS));
  const parameters = new asn1js.Sequence({
    value: [new asn1js.OctetString({ valueHex: salt }), new asn1js.Integer({ value: ITERATIONS })],
  });
  return {
    algorithm: new AlgorithmIdentifier({ algorithm: PBE_SHA1_3DES, parameters: parameters.toBER() }),
    encrypted: Buffer.concat([cipher.update(content), cipher.final()]),
  };
}

function tripleDes(parameters: asn1js.AsnType, password: string) {
  const [salt, iterations] = children(parameters);
  return createDecipheriv('des-ede3-cbc', ...tripleDesKey(password, octets(salt), integer(iterations)));
}

function tripleDesKey(password: string, salt: Uint8Array, iterations: number): [Buffer, Buffer] {
  return [
    passwordKey('sha1', password, salt, iterations, FOR_ENCRYPTION, 24),
    passwordKey('sha1', password, salt, iterations, FOR_IV, 8),
  ];
}

/** PBES2-params with PBKDF2 and AES in CBC mode (RFC 8018, appendix A). The password is UTF-8 here. */
function pbes2(parameters: asn1js.AsnType, password: string) {
  const [derivation, scheme] = children(parameters).map(children);
  const { cipher, octets: keyOctets } =
    AES_CBC[identifier(scheme?.[0])] ?? unsupported(identifier(scheme?.[0]));
  if (identifier(derivation?.[0]) !== PBKDF2) unsupported(identifier(derivation?.[0]));
  const [salt, iterations, ...optional] = children(derivation?.[1]);
  // keyLength is optional as well; the pseudorandom function is the one that is a sequence, and SHA-1 by default.
  const prf = optional.find((each) => each instanceof asn1js.Sequence);
  const hash = prf === undefined ? 'sha1' : HMAC_HASHES[identifier(children(prf)[0])];
  if (hash === undefined) return unsupported(identifier(children(prf)[0]));
  const key = pbkdf2Sync(password, octets(salt), integer(iterations), keyOctets, hash);
  return createDecipheriv(cipher, key, octets(scheme?.[1]));
}

function parse(der: ArrayBuffer | null | undefined): asn1js.AsnType {
  return asn1js.fromBER(der ?? new ArrayBuffer(0)).result;
}

function children(element: asn1js.AsnType | undefined): asn1js.AsnType[] {
  return element instanceof asn1js.Sequence ? element.valueBlock.value : [];
}

function identifier(element: asn1js.AsnType | undefined): string {
  return element instanceof asn1js.ObjectIdentifier ? element.getValue() : '';
}

function octets(element: asn1js.AsnType | undefined): Uint8Array {
  return new Uint8Array(element instanceof asn1js.OctetString ? element.getValue() : new ArrayBuffer(0));
}

/** A count of rounds; one that would keep this process busy for minutes is taken for an attack or a mistake. */
function integer(element: asn1js.AsnType | undefined): number {
  const value = element instanceof asn1js.Integer ? element.valueBlock.valueDec : 0;
  if (value < 1 || value > 10_000_000) throw new Error(`${value} rounds of key derivation are not sensible.`);
  return value;
}

function unsupported(algorithm: string): never {
  throw new Error(`The encryption ${algorithm} is not supported.`);
}
