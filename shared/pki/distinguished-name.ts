import { childrenOf, type DerElement, DerFields, encodeDer, readOid, TAG } from './der-reader.ts';
import { readText } from './der-text.ts';
import { derOid, derSequence, derSetOfOne, derUtf8String } from './der-writer.ts';
import { invalid } from './invalid.ts';
import { OID } from './oids.ts';

/** A subject as Everleaf writes it. */
export interface SubjectName {
  readonly commonName: string;
  readonly organization?: string;
}

/** One attribute of a name that was read; `value` is null when it is no text. */
export interface NameAttribute {
  readonly oid: string;
  readonly value: string | null;
}

/**
 * The DER of a Name (RFC 5280 section 4.1.2.4), organization before common name as directories order them. UTF8String
 * for both: section 4.1.2.4 allows it and PrintableString, and only the first holds every text, so one name never
 * has two encodings.
 */
export function encodeName(name: SubjectName): Uint8Array {
  const parts = [];
  if (name.organization !== undefined) parts.push(attribute(OID.organization, name.organization));
  parts.push(attribute(OID.commonName, name.commonName));
  return encodeDer(derSequence(...parts));
}

/**
 * The attributes of a Name in their order; those of a multi-valued RDN one after another.
 * @param name what the Name is, for errors.
 * @throws EverleafError InvalidInput, reason `malformed`.
 */
export function readName(element: DerElement, name: string): NameAttribute[] {
  const attributes: NameAttribute[] = [];
  for (const rdn of childrenOf(element, TAG.sequence, name)) {
    const members = childrenOf(rdn, TAG.set, `an RDN of ${name}`);
    if (members.length === 0) throw invalid('malformed', `${name} has an empty RDN`);
    for (const member of members) {
      const fields = new DerFields(member, `an attribute of ${name}`);
      const oid = readOid(fields.take('type'), `an attribute type of ${name}`);
      const value = readText(fields.take('value'), `an attribute of ${name}`);
      fields.end();
      attributes.push({ oid, value });
    }
  }
  return attributes;
}

/** The values of one attribute type, in their order. */
export function valuesOf(attributes: readonly NameAttribute[], oid: string): (string | null)[] {
  return attributes.filter((each) => each.oid === oid).map((each) => each.value);
}

function attribute(oid: string, value: string): DerElement {
  return derSetOfOne(derSequence(derOid(oid), derUtf8String(value)));
}
