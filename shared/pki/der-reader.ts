import forge from 'node-forge';
import { derHeader } from './der-bytes.ts';
import { assertDer } from './der-rules.ts';
import { invalid } from './invalid.ts';
import { OID } from './oids.ts';

/** One parsed element; opaque outside the der-* files. */
export type DerElement = forge.asn1.Asn1;

const SOURCE: unique symbol = Symbol('source');

/** A parsed element knows where it stood; one that is being written does not. */
type Sourced = DerElement & {
  [SOURCE]?: {
    readonly bytes: Uint8Array;
    readonly start: number;
    readonly content: number;
    readonly end: number;
  };
};

/** First octets (class, form and number) of the types that X.509 and PKCS#10 use, X.690 section 8.1.2. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  universalString: 0x1c,
  bmpString: 0x1e,
} as const;

/** The first octet of `[number] IMPLICIT` over a primitive type. */
export const contextTag = (number: number): number => 0x80 | number;

/** The first octet of `[number] EXPLICIT`, and of `[number] IMPLICIT` over a constructed type. */
export const constructedContextTag = (number: number): number => 0xa0 | number;

/** No OID in use is near this; it bounds the work on hostile ones. */
const MAXIMUM_OID_BYTES = 128;

// The published types know the older signature of fromDer only.
const fromDer = forge.asn1.fromDer as unknown as (
  bytes: string,
  options: { strict: true; parseAllBytes: true; decodeBitStrings: false },
) => DerElement;

/**
 * Parses exactly one element that fills the bytes, in strict DER.
 * @throws EverleafError InvalidInput with reason `not-der`, `trailing-data` or `too-deep`.
 */
export function parseDer(bytes: Uint8Array): DerElement {
  assertDer(bytes);
  const text = Buffer.from(bytes).toString('latin1');
  // Without decodeBitStrings a BIT STRING stays what it is, even when its bits happen to look like ASN.1.
  const options = { strict: true, parseAllBytes: true, decodeBitStrings: false } as const;
  let element: DerElement;
  try {
    element = fromDer(text, options);
  } catch (cause) {
    // After assertDer this is left: a BMPString of an odd number of octets.
    throw invalid('not-der', 'the DER has a BMPString with half a character', cause);
  }
  // Names and keys are handed on as re-encoded bytes, so what the parser understood must be what was sent.
  if (forge.asn1.toDer(element).getBytes() !== text) {
    throw invalid('not-der', 'the DER is not the same after decoding and encoding it again');
  }
  noteSource(element, new Uint8Array(bytes), 0);
  return element;
}

/** The whole element, header included: the very bytes it was parsed from. They are not to be written to. */
export function encodeDer(element: Sourced): Uint8Array {
  const from = element[SOURCE];
  if (from !== undefined) return from.bytes.subarray(from.start, from.end);
  if (!element.composed) return latin1Bytes(forge.asn1.toDer(element).getBytes());
  const members = (element.value as DerElement[]).map(encodeDer);
  const length = members.reduce((sum, { length }) => sum + length, 0);
  return Uint8Array.from(Buffer.concat([derHeader(tagOf(element), length), ...members]));
}

/**
 * Notes where each parsed element stands. Reading a certificate asks for the bytes of nearly every element, and
 * encoding them again each time took longer than everything else that parsing does.
 * @param bytes already checked to be what the elements say
 * @returns where the element ends
 */
function noteSource(element: Sourced, bytes: Uint8Array, start: number): number {
  const first = bytes[start + 1] ?? 0;
  let content = start + 2;
  let length = first;
  if (first >= 0x80) {
    content += first & 0x7f;
    length = 0;
    for (let i = start + 2; i < content; i++) length = length * 256 + (bytes[i] ?? 0);
  }
  const end = content + length;
  element[SOURCE] = { bytes, start, content, end };
  if (element.composed) {
    let next = content;
    for (const member of element.value as DerElement[]) next = noteSource(member, bytes, next);
  }
  return end;
}

function latin1Bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

/** The first octet of the element, to compare with `TAG` and `contextTag`. */
export function tagOf(element: DerElement): number {
  return element.tagClass | (element.constructed ? 0x20 : 0) | element.type;
}

/** The bytes of the element without its header. */
export function contentOf(element: Sourced): Uint8Array {
  const from = element[SOURCE];
  if (from !== undefined) return from.bytes.subarray(from.content, from.end);
  const der = encodeDer(element);
  const length = der[1] ?? 0;
  return der.subarray(length < 0x80 ? 2 : 2 + (length & 0x7f));
}

/**
 * The members of a constructed element with that tag.
 * @param name what the element is, for the error.
 * @throws EverleafError InvalidInput, reason `malformed`.
 */
export function childrenOf(element: DerElement, tag: number, name: string): readonly DerElement[] {
  expectTag(element, tag, name);
  return element.value as DerElement[];
}

/** Reads the members of a SEQUENCE one after another; what is left over at `end` is an error. */
export class DerFields {
  readonly #name: string;
  readonly #members: readonly DerElement[];
  #next = 0;

  /** @throws EverleafError InvalidInput, reason `malformed`, when the element has another tag. */
  constructor(element: DerElement, name: string, tag: number = TAG.sequence) {
    this.#name = name;
    this.#members = childrenOf(element, tag, name);
  }

  /** The next member, whatever its tag. */
  take(field: string): DerElement {
    const member = this.#members[this.#next];
    if (member === undefined) throw invalid('malformed', `${this.#name} has no ${field}`);
    this.#next += 1;
    return member;
  }

  /** The next member when it has that tag, otherwise null and nothing is taken. */
  takeOptional(tag: number): DerElement | null {
    const member = this.#members[this.#next];
    if (member === undefined || tagOf(member) !== tag) return null;
    this.#next += 1;
    return member;
  }

  /** @throws EverleafError InvalidInput, reason `malformed`, when members are left. */
  end(): void {
    if (this.#next !== this.#members.length) {
      throw invalid('malformed', `${this.#name} has ${this.#members.length} members, expected ${this.#next}`);
    }
  }
}

/** Those that certificates are made of, by their content octets. */
const KNOWN_OIDS: ReadonlyMap<string, string> = new Map(
  Object.values(OID).map((oid) => [forge.asn1.oidToDer(oid).getBytes(), oid]),
);

/** An OBJECT IDENTIFIER in dotted form; arcs of any size (UUID-based ones have 128 bits). */
export function readOid(element: DerElement, name: string): string {
  expectTag(element, TAG.oid, name);
  const content = contentOf(element);
  if (content.length > MAXIMUM_OID_BYTES) {
    throw invalid(
      'malformed',
      `${name} is an OID of ${content.length} bytes, at most ${MAXIMUM_OID_BYTES} are read`,
    );
  }
  const known = KNOWN_OIDS.get(Buffer.from(content).toString('latin1'));
  if (known !== undefined) return known;
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const octet of content) {
    arc = (arc << 7n) | BigInt(octet & 0x7f);
    if (octet >= 0x80) continue;
    if (arcs.length > 0) arcs.push(arc);
    else if (arc >= 80n) arcs.push(2n, arc - 80n);
    else arcs.push(arc / 40n, arc % 40n);
    arc = 0n;
  }
  return arcs.join('.');
}

/** The content octets of an INTEGER: two's complement, big-endian, at least one. */
export function readIntegerBytes(element: DerElement, name: string): Uint8Array {
  expectTag(element, TAG.integer, name);
  return contentOf(element);
}

export function readInteger(element: DerElement, name: string): bigint {
  const bytes = readIntegerBytes(element, name);
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
}

/**
 * An INTEGER of a few octets, for versions, path lengths and the like.
 * @throws EverleafError InvalidInput, reason `malformed`, when it is longer than 4 octets.
 */
export function readSmallInteger(element: DerElement, name: string): number {
  const length = readIntegerBytes(element, name).length;
  if (length > 4) throw invalid('malformed', `${name} is an INTEGER of ${length} bytes, expected at most 4`);
  return Number(readInteger(element, name));
}

/** An ENUMERATED of one octet, as those of CRLs and OCSP are. */
export function readEnumerated(element: DerElement, name: string): number {
  expectTag(element, TAG.enumerated, name);
  const [value = 0, ...more] = contentOf(element);
  if (more.length > 0 || value >= 0x80) throw invalid('malformed', `${name} is not a value of 0 to 127`);
  return value;
}

export function readBoolean(element: DerElement, name: string): boolean {
  expectTag(element, TAG.boolean, name);
  return contentOf(element)[0] === 0xff;
}

export function readOctetString(element: DerElement, name: string): Uint8Array {
  expectTag(element, TAG.octetString, name);
  return contentOf(element);
}

/** The bits and how many at the end of the last octet do not count (0 to 7). */
export function readBitString(element: DerElement, name: string): { bytes: Uint8Array; unusedBits: number } {
  expectTag(element, TAG.bitString, name);
  const content = contentOf(element);
  return { bytes: content.subarray(1), unusedBits: content[0] ?? 0 };
}

/** A BIT STRING that holds whole octets, as keys and signatures do. */
export function readOctetsOfBitString(element: DerElement, name: string): Uint8Array {
  const { bytes, unusedBits } = readBitString(element, name);
  if (unusedBits !== 0)
    throw invalid('malformed', `${name} has ${unusedBits} unused bits, expected whole octets`);
  return bytes;
}

/** @throws EverleafError InvalidInput, reason `malformed`, when the element has another tag. */
export function expectTag(element: DerElement, tag: number, name: string): void {
  const found = tagOf(element);
  if (found === tag) return;
  const hex = (octet: number) => `0x${octet.toString(16).padStart(2, '0')}`;
  throw invalid('malformed', `${name} has the tag ${hex(found)}, expected ${hex(tag)}`);
}
