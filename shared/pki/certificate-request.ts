import { EverleafError, isEverleafError } from '../domain/errors.ts';
import {
  childrenOf,
  constructedContextTag,
  type DerElement,
  DerFields,
  encodeDer,
  parseDer,
  readOctetsOfBitString,
  readOid,
  readSmallInteger,
  TAG,
} from './der-reader.ts';
import { type NameAttribute, readName, valuesOf } from './distinguished-name.ts';
import { type Extension, readExtensions } from './extension-reader.ts';
import { type AlternativeNames, countNames, NO_NAMES, readGeneralNames } from './general-names.ts';
import { type InvalidReason, invalid, invalidReasonOf } from './invalid.ts';
import { OID } from './oids.ts';
import { decodePem } from './pem.ts';
import {
  checkPublicKeyForm,
  checkPublicKeyStrength,
  type PublicKeyInfo,
  readPublicKey,
} from './public-key.ts';
import { readSignatureScheme, type SignatureScheme, verifySignature } from './signature-scheme.ts';

/** Limits on what a stranger may send; a request of an RSA key of 4096 bits with ten names has about 2 KiB. */
const MAXIMUM_DER_BYTES = 16 * 1024;
const MAXIMUM_PEM_CHARACTERS = 32 * 1024;
const MAXIMUM_EXTENSIONS = 32;
const MAXIMUM_NAMES = 20;

/** A PKCS#10 request (RFC 2986) that was read, but not yet believed: `checkCertificateRequest` does that. */
export interface CertificateRequest {
  readonly der: Uint8Array;
  /** SubjectPublicKeyInfo, byte for byte as it was sent. */
  readonly spki: Uint8Array;
  readonly publicKey: PublicKeyInfo;
  /** The only common name, or null when the subject has none; an empty one counts as none. */
  readonly commonName: string | null;
  readonly subject: readonly NameAttribute[];
  /** What subjectAltName asks for. */
  readonly requestedNames: AlternativeNames;
  /** Everything the extensionRequest attribute asks for, in its order; values are not looked into. */
  readonly extensions: readonly Extension[];
  readonly signatureScheme: SignatureScheme;
  /** The signed part, CertificationRequestInfo. */
  readonly signedBytes: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * Reads a request from PEM: exactly one block "CERTIFICATE REQUEST" or "NEW CERTIFICATE REQUEST" and only white
 * space around it.
 *
 * In this order: size, PEM, DER rules and depth, structure, public key, number and form of extensions and names,
 * signature algorithm. No signature is verified here.
 *
 * @throws EverleafError InvalidCertificateRequest; `details.reason` is an InvalidReason.
 */
export function parseCertificateRequest(pem: string): CertificateRequest {
  return refusing(() => {
    if (pem.length > MAXIMUM_PEM_CHARACTERS) {
      throw invalid(
        'too-large',
        `the text has ${pem.length} characters, expected at most ${MAXIMUM_PEM_CHARACTERS}`,
      );
    }
    return readRequest(decodeRequestPem(pem));
  });
}

/**
 * Reads a request from its DER, as Key Vault gives it.
 * @throws EverleafError InvalidCertificateRequest; `details.reason` is an InvalidReason.
 */
export function parseCertificateRequestDer(der: Uint8Array): CertificateRequest {
  return refusing(() => readRequest(der));
}

/**
 * Checks a request against the rules for every certificate Everleaf issues, the cheap ones first: form of the key,
 * the key and the signature algorithm fit, common name absent or exactly the identity's name (case counts), strength
 * of the key, and last the self-signature, which proves that the sender holds the private key.
 *
 * What else the request asks for is not refused: subject, names and extensions of the certificate are Everleaf's own.
 *
 * @throws EverleafError InvalidCertificateRequest; `details.reason` is an InvalidReason.
 */
export function checkCertificateRequest(
  request: CertificateRequest,
  expected: { identityName: string },
): void {
  refusing(() => {
    checkPublicKeyForm(request.publicKey);
    if (request.signatureScheme.keyType !== request.publicKey.type) {
      throw invalid(
        'unsupported-signature-algorithm',
        `the signature algorithm is for ${request.signatureScheme.keyType} keys, but the key is ${request.publicKey.type}`,
      );
    }
    if (request.commonName !== null && request.commonName !== expected.identityName) {
      throw invalid(
        'wrong-common-name',
        `the subject's common name is ${quote(request.commonName)}, expected none or ${quote(expected.identityName)}`,
      );
    }
    checkPublicKeyStrength(request.publicKey);
    const { signatureScheme, spki, signedBytes, signature } = request;
    if (!verifySignature(signatureScheme, spki, signedBytes, signature)) {
      throw invalid('signature-invalid', 'its signature was not made by the private key of its public key');
    }
  });
}

function decodeRequestPem(pem: string): Uint8Array {
  try {
    return decodePem(pem, 'CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST');
  } catch (error) {
    if (invalidReasonOf(error) !== 'several-pem-blocks') throw error;
    throw invalid('several-requests', error instanceof Error ? error.message : '', error);
  }
}

function readRequest(der: Uint8Array): CertificateRequest {
  if (der.length > MAXIMUM_DER_BYTES) {
    throw invalid('too-large', `it has ${der.length} bytes, expected at most ${MAXIMUM_DER_BYTES}`);
  }
  const outer = new DerFields(parseDer(der), 'the request');
  const info = outer.take('certificationRequestInfo');
  const algorithm = outer.take('signatureAlgorithm');
  const signature = readOctetsOfBitString(outer.take('signature'), 'the signature');
  outer.end();

  const fields = new DerFields(info, 'certificationRequestInfo');
  const version = readSmallInteger(fields.take('version'), 'the version');
  if (version !== 0) throw invalid('unsupported-version', `the version is ${version}, expected 0 (RFC 2986)`);
  const subjectElement = fields.take('subject');
  const spki = encodeDer(fields.take('subjectPublicKeyInfo'));
  // RFC 2986 wants the attributes present even when there are none; some old writers leave them out.
  const attributes = fields.takeOptional(constructedContextTag(0));
  fields.end();

  const publicKey = readPublicKey(spki);
  const subject = readName(subjectElement, 'the subject');
  if (subject.length > MAXIMUM_NAMES) {
    throw invalid(
      'too-many-names',
      `the subject has ${subject.length} attributes, expected at most ${MAXIMUM_NAMES}`,
    );
  }
  const extensions = attributes === null ? [] : readRequestedExtensions(attributes);
  return {
    der,
    spki,
    publicKey,
    commonName: readCommonName(subject),
    subject,
    requestedNames: readRequestedNames(extensions),
    extensions,
    signatureScheme: readSignatureScheme(algorithm),
    signedBytes: encodeDer(info),
    signature,
  };
}

/** The one extensionRequest (RFC 2985 section 5.4.2) with its one value; other attributes mean nothing here. */
function readRequestedExtensions(attributes: DerElement): Extension[] {
  const found: DerElement[] = [];
  for (const attribute of childrenOf(attributes, constructedContextTag(0), 'the attributes')) {
    const fields = new DerFields(attribute, 'an attribute');
    const type = readOid(fields.take('type'), 'the type of an attribute');
    const values = childrenOf(fields.take('values'), TAG.set, 'the values of an attribute');
    fields.end();
    if (type === OID.extensionRequest) found.push(...values);
  }
  const [only] = found;
  if (only === undefined) return [];
  if (found.length > 1)
    throw invalid('malformed', `it has ${found.length} extension requests, expected at most one`);
  return readExtensions(only, MAXIMUM_EXTENSIONS);
}

function readRequestedNames(extensions: readonly Extension[]): AlternativeNames {
  const extension = extensions.find((each) => each.oid === OID.subjectAltName);
  if (extension === undefined) return NO_NAMES;
  const names = readGeneralNames(parseDer(extension.value));
  const count = countNames(names);
  if (count > MAXIMUM_NAMES) {
    throw invalid('too-many-names', `subjectAltName has ${count} names, expected at most ${MAXIMUM_NAMES}`);
  }
  return names;
}

function readCommonName(subject: readonly NameAttribute[]): string | null {
  const values = valuesOf(subject, OID.commonName);
  if (values.length > 1)
    throw invalid('malformed', `the subject has ${values.length} common names, expected one`);
  const [value] = values;
  if (value === null) throw invalid('malformed', "the subject's common name is no text");
  return value === undefined || value === '' ? null : value;
}

/** Runs a step and turns a reader's clause into the refusal of the request, with the same reason. */
function refusing<Result>(step: () => Result): Result {
  try {
    return step();
  } catch (error) {
    const reason: InvalidReason | null = invalidReasonOf(error);
    if (reason === null || !isEverleafError(error)) throw error;
    throw new EverleafError(
      'InvalidCertificateRequest',
      `Cannot accept the certificate request: ${error.message}.`,
      {
        details: { reason },
        cause: error,
      },
    );
  }
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}
