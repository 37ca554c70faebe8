import type { DerElement } from './der-reader.ts';
import { encodeDer } from './der-reader.ts';
import {
  derBitString,
  derConstructedContext,
  derContext,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  derTrue,
  derUnsignedInteger,
} from './der-writer.ts';
import type { Extension } from './extension-reader.ts';
import { asciiBytes, writeGeneralNames } from './general-names.ts';
import { OID } from './oids.ts';

/** Where a certificate's revocation and its issuer's certificate are found. */
export interface AuthorityInfoUrls {
  readonly ocsp?: string;
  readonly caIssuers?: string;
}

/** Extension, RFC 5280 section 4.1; critical FALSE is the default and therefore left out. */
export function writeExtension({ oid, critical, value }: Extension): DerElement {
  const flag = critical ? [derTrue()] : [];
  return derSequence(derOid(oid), ...flag, derOctetString(value));
}

/** For what is no authority: an empty SEQUENCE, since cA FALSE is the default (RFC 5280 section 4.2.1.9). */
export function endEntityConstraints(): Extension {
  return { oid: OID.basicConstraints, critical: true, value: encodeDer(derSequence()) };
}

/** @param pathLength how many authorities may stand below this one; 0 to 255. */
export function authorityConstraints(pathLength: number): Extension {
  const value = derSequence(derTrue(), derUnsignedInteger(Uint8Array.of(pathLength)));
  return { oid: OID.basicConstraints, critical: true, value: encodeDer(value) };
}

/** digitalSignature (bit 0), with keyEncipherment (bit 2) when asked for. RFC 5280 section 4.2.1.3. */
export function leafKeyUsage(withKeyEncipherment: boolean): Extension {
  const bits = withKeyEncipherment
    ? derBitString(Uint8Array.of(0b1010_0000), 5)
    : derBitString(Uint8Array.of(0x80), 7);
  return { oid: OID.keyUsage, critical: true, value: encodeDer(bits) };
}

/** keyCertSign (bit 5) and cRLSign (bit 6). */
export function authorityKeyUsage(): Extension {
  const bits = derBitString(Uint8Array.of(0b0000_0110), 1);
  return { oid: OID.keyUsage, critical: true, value: encodeDer(bits) };
}

export function extendedKeyUsage(...purposes: string[]): Extension {
  const value = derSequence(...purposes.map(derOid));
  return { oid: OID.extendedKeyUsage, critical: false, value: encodeDer(value) };
}

/** Not critical, because the subject is never empty (RFC 5280 section 4.2.1.6). */
export function subjectAltName(names: Parameters<typeof writeGeneralNames>[0]): Extension {
  return { oid: OID.subjectAltName, critical: false, value: encodeDer(writeGeneralNames(names)) };
}

export function subjectKeyId(keyId: Uint8Array): Extension {
  return { oid: OID.subjectKeyIdentifier, critical: false, value: encodeDer(derOctetString(keyId)) };
}

/** The issuer's key alone: with its serial number, a re-issued authority would break every leaf. */
export function authorityKeyId(keyId: Uint8Array): Extension {
  const value = derSequence(derContext(0, keyId));
  return { oid: OID.authorityKeyIdentifier, critical: false, value: encodeDer(value) };
}

/** One distribution point with one full name, RFC 5280 section 4.2.1.13. */
export function crlDistributionPoint(url: string): Extension {
  const fullName = derConstructedContext(0, derContext(6, asciiBytes(url)));
  const value = derSequence(derSequence(derConstructedContext(0, fullName)));
  return { oid: OID.crlDistributionPoints, critical: false, value: encodeDer(value) };
}

/** RFC 5280 section 4.2.2.1, OCSP first. */
export function authorityInfoAccess({ ocsp, caIssuers }: AuthorityInfoUrls): Extension {
  const describe = (method: string, url: string) =>
    derSequence(derOid(method), derContext(6, asciiBytes(url)));
  const descriptions = [];
  if (ocsp !== undefined) descriptions.push(describe(OID.ocsp, ocsp));
  if (caIssuers !== undefined) descriptions.push(describe(OID.caIssuers, caIssuers));
  return { oid: OID.authorityInfoAccess, critical: false, value: encodeDer(derSequence(...descriptions)) };
}

/** The access identity in the cloud agent's form: the raw UTF-8 bytes of the text, no DER around them. */
export function accessIdentity(identity: string): Extension {
  return { oid: OID.accessIdentity, critical: false, value: Uint8Array.from(Buffer.from(identity, 'utf8')) };
}

/** RFC 5280 section 5.2.3. @param magnitude big-endian, at most 20 octets with the sign octet that it may need */
export function crlNumber(magnitude: Uint8Array): Extension {
  return { oid: OID.crlNumber, critical: false, value: encodeDer(derUnsignedInteger(magnitude)) };
}

/** Nobody asks whether a responder is revoked: RFC 6960 section 4.2.2.2.1. A NULL. */
export function ocspNoCheck(): Extension {
  return { oid: OID.ocspNoCheck, critical: false, value: encodeDer(derNull()) };
}

/** RFC 9654 section 2.1. @param nonce 1 to 128 bytes */
export function ocspNonce(nonce: Uint8Array): Extension {
  return { oid: OID.ocspNonce, critical: false, value: encodeDer(derOctetString(nonce)) };
}
