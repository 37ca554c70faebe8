import {
  childrenOf,
  constructedContextTag,
  contentOf,
  contextTag,
  type DerElement,
  DerFields,
  parseDer,
  readBitString,
  readBoolean,
  readOctetString,
  readOid,
  readSmallInteger,
  TAG,
  tagOf,
} from './der-reader.ts';
import { decodeAscii } from './der-text.ts';
import { invalid } from './invalid.ts';
import { OID } from './oids.ts';

/** One extension, RFC 5280 section 4.1.2.9; `value` is the content of extnValue. */
export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** RFC 5280 section 4.2.1.3, in the order of the bits. */
const KEY_USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;

export type KeyUsage = (typeof KEY_USAGES)[number];

export interface BasicConstraints {
  readonly isAuthority: boolean;
  readonly pathLength: number | null;
}

export interface AuthorityInfo {
  readonly ocsp: readonly string[];
  readonly caIssuers: readonly string[];
}

/**
 * Reads Extensions, in their order.
 * @throws EverleafError InvalidInput with reason `malformed`, `duplicate-extension` (RFC 5280 section 4.2) or, past
 *   `maximumCount`, `too-many-extensions`.
 */
export function readExtensions(element: DerElement, maximumCount: number): Extension[] {
  const members = childrenOf(element, TAG.sequence, 'the extensions');
  if (members.length > maximumCount) {
    throw invalid(
      'too-many-extensions',
      `there are ${members.length} extensions, expected at most ${maximumCount}`,
    );
  }
  const seen = new Set<string>();
  return members.map((member) => {
    const fields = new DerFields(member, 'an extension');
    const oid = readOid(fields.take('identifier'), 'the identifier of an extension');
    const flag = fields.takeOptional(TAG.boolean);
    const critical = flag !== null && readBoolean(flag, 'critical');
    // X.690 11.5: a value equal to its default is left out.
    if (flag !== null && !critical)
      throw invalid('malformed', `the extension ${oid} spells out critical FALSE`);
    const value = readOctetString(fields.take('value'), `the value of the extension ${oid}`);
    fields.end();
    if (seen.has(oid)) throw invalid('duplicate-extension', `the extension ${oid} stands there twice`);
    seen.add(oid);
    return { oid, critical, value };
  });
}

/** RFC 5280 section 4.2.1.9. @throws EverleafError InvalidInput, as all readers here do, for anything else. */
export function readBasicConstraints(value: Uint8Array): BasicConstraints {
  const fields = new DerFields(parseDer(value), 'basicConstraints');
  const flag = fields.takeOptional(TAG.boolean);
  const isAuthority = flag !== null && readBoolean(flag, 'cA');
  if (flag !== null && !isAuthority) throw invalid('malformed', 'basicConstraints spells out cA FALSE');
  const length = fields.takeOptional(TAG.integer);
  fields.end();
  if (length === null) return { isAuthority, pathLength: null };
  const pathLength = readSmallInteger(length, 'pathLenConstraint');
  if (!isAuthority || pathLength < 0 || pathLength > 255) {
    throw invalid('malformed', `basicConstraints has the path length ${pathLength} with cA ${isAuthority}`);
  }
  return { isAuthority, pathLength };
}

/** RFC 5280 section 4.2.1.3; X.690 11.2.2 wants the trailing zero bits of named bits left out. */
export function readKeyUsage(value: Uint8Array): KeyUsage[] {
  const { bytes, unusedBits } = readBitString(parseDer(value), 'keyUsage');
  const bitCount = bytes.length * 8 - unusedBits;
  const isSet = (bit: number) => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0;
  if (bitCount === 0 || bitCount > KEY_USAGES.length || !isSet(bitCount - 1)) {
    throw invalid('malformed', `keyUsage has ${bitCount} bits, expected 1 to 9 of which the last is set`);
  }
  return KEY_USAGES.filter((_, bit) => isSet(bit));
}

/** RFC 5280 section 4.2.1.12. */
export function readExtendedKeyUsage(value: Uint8Array): string[] {
  const members = childrenOf(parseDer(value), TAG.sequence, 'extKeyUsage');
  if (members.length === 0) throw invalid('malformed', 'extKeyUsage is empty');
  return members.map((member) => readOid(member, 'a purpose in extKeyUsage'));
}

/** RFC 5280 section 4.2.1.2. */
export function readSubjectKeyIdentifier(value: Uint8Array): Uint8Array {
  return readOctetString(parseDer(value), 'subjectKeyIdentifier');
}

/** RFC 5280 section 4.2.1.1. `onlyKeyId` is false when issuer and serial number are named as well. */
export function readAuthorityKeyIdentifier(value: Uint8Array): {
  keyId: Uint8Array | null;
  onlyKeyId: boolean;
} {
  const fields = new DerFields(parseDer(value), 'authorityKeyIdentifier');
  const keyId = fields.takeOptional(contextTag(0));
  const issuer = fields.takeOptional(constructedContextTag(1));
  const serialNumber = fields.takeOptional(contextTag(2));
  fields.end();
  return {
    keyId: keyId === null ? null : contentOf(keyId),
    onlyKeyId: keyId !== null && issuer === null && serialNumber === null,
  };
}

/** The URLs of CRLDistributionPoints in the plain form of one full name each, RFC 5280 section 4.2.1.13. */
export function readCrlUrls(value: Uint8Array): string[] {
  return childrenOf(parseDer(value), TAG.sequence, 'cRLDistributionPoints').map((point) => {
    const name = soleMember(point, TAG.sequence, 'a distribution point');
    const fullName = soleMember(name, constructedContextTag(0), 'a distribution point');
    return readUrl(soleMember(fullName, constructedContextTag(0), 'a distribution point'));
  });
}

/** The URLs of AuthorityInfoAccess, RFC 5280 section 4.2.2.1. */
export function readAuthorityInfo(value: Uint8Array): AuthorityInfo {
  const found: { ocsp: string[]; caIssuers: string[] } = { ocsp: [], caIssuers: [] };
  for (const member of childrenOf(parseDer(value), TAG.sequence, 'authorityInfoAccess')) {
    const fields = new DerFields(member, 'an access description');
    const method = readOid(fields.take('method'), 'an access method');
    const url = readUrl(fields.take('location'));
    fields.end();
    if (method === OID.ocsp) found.ocsp.push(url);
    else if (method === OID.caIssuers) found.caIssuers.push(url);
    else throw invalid('malformed', `authorityInfoAccess has the method ${method}`);
  }
  return found;
}

function soleMember(element: DerElement, tag: number, name: string): DerElement {
  const fields = new DerFields(element, name, tag);
  const member = fields.take('member');
  fields.end();
  return member;
}

function readUrl(element: DerElement): string {
  if (tagOf(element) !== contextTag(6)) throw invalid('malformed', 'a location is no URI');
  return decodeAscii(contentOf(element), 'a URI');
}
