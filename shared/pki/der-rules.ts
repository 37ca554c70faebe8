import { invalid } from './invalid.ts';

/** Elements may lie this many levels inside one another; X.509 itself needs about nine. */
export const MAXIMUM_DER_DEPTH = 16;

/** The types of X.690 that are always constructed: EXTERNAL, EMBEDDED PDV, SEQUENCE, SET. */
const CONSTRUCTED_TYPES: ReadonlySet<number> = new Set([8, 11, 16, 17]);

/**
 * Checks that the bytes are exactly one element in the Distinguished Encoding Rules (X.690 sections 8, 10 and 11):
 * one-octet tags, definite lengths in the shortest form, nothing after the element, primitive types in primitive
 * form, and the value rules of BOOLEAN, INTEGER, BIT STRING, NULL and OBJECT IDENTIFIER. The order of the members of
 * a SET OF is not checked: no X.509 implementation insists on it when reading, and nothing here depends on it.
 *
 * It runs before any parser sees the bytes, so that a lenient parser cannot read them in another way than a strict
 * one does, and so that depth is bounded before anything recurses.
 *
 * @throws EverleafError InvalidInput with reason `not-der`, `trailing-data` or `too-deep`.
 */
export function assertDer(bytes: Uint8Array): void {
  const end = checkElement(bytes, 0, bytes.length, 1);
  if (end !== bytes.length) {
    throw invalid(
      'trailing-data',
      `other bytes follow the DER element (${bytes.length - end}), expected none`,
    );
  }
}

/** Checks the element that starts at `offset` and must end at `limit` or before; returns where it ends. */
function checkElement(bytes: Uint8Array, offset: number, limit: number, depth: number): number {
  if (depth > MAXIMUM_DER_DEPTH) {
    throw invalid('too-deep', `the DER is nested deeper than ${MAXIMUM_DER_DEPTH} levels`);
  }
  const tag = bytes[offset];
  if (tag === undefined || offset >= limit) throw notDer(offset, 'ends where an element should begin');
  const isConstructed = (tag & 0x20) !== 0;
  checkTag(tag, isConstructed, offset);
  const { start, end } = readLength(bytes, offset + 1, limit);
  if (isConstructed) {
    let next = start;
    while (next < end) next = checkElement(bytes, next, end, depth + 1);
  } else if (tag < 0x20) {
    checkPrimitive(tag, bytes.subarray(start, end), offset);
  }
  return end;
}

/** X.690 8.1.3 and 10.1: definite, and in as few octets as possible. */
function readLength(bytes: Uint8Array, offset: number, limit: number): { start: number; end: number } {
  const first = offset < limit ? bytes[offset] : undefined;
  if (first === undefined) throw notDer(offset, 'ends where a length should stand');
  let length = first;
  let start = offset + 1;
  if (first === 0x80) throw notDer(offset, 'uses an indefinite length, expected a definite one');
  if (first > 0x80) {
    const octets = first & 0x7f;
    // Four octets reach 4 GiB, more than any input here; five and more would only invite overflow.
    if (octets > 4 || start + octets > limit) throw notDer(offset, 'has a length that runs past its end');
    length = 0;
    for (const octet of bytes.subarray(start, start + octets)) length = length * 256 + octet;
    start += octets;
    if (length < 0x80 || length < 256 ** (octets - 1)) {
      throw notDer(offset, 'has a length in a longer form than needed');
    }
  }
  if (length > limit - start) throw notDer(offset, 'has a length that runs past its end');
  return { start, end: start + length };
}

function checkTag(tag: number, isConstructed: boolean, offset: number): void {
  if ((tag & 0x1f) === 0x1f) throw notDer(offset, 'uses a tag number above 30, which X.509 does not have');
  if (tag === 0) throw notDer(offset, 'holds an end-of-contents marker, which DER does not have');
  const isUniversal = (tag & 0xc0) === 0;
  if (isUniversal && isConstructed !== CONSTRUCTED_TYPES.has(tag & 0x1f)) {
    const form = isConstructed ? 'constructed' : 'primitive';
    throw notDer(offset, `encodes the universal type ${tag & 0x1f} in ${form} form`);
  }
}

function checkPrimitive(type: number, value: Uint8Array, offset: number): void {
  const [first, second] = value;
  switch (type) {
    case 1: // X.690 11.1
      if (value.length !== 1 || (first !== 0 && first !== 0xff))
        throw notDer(offset, 'has a BOOLEAN not 00 or FF');
      break;
    case 2: // X.690 8.3.2
    case 10: // An ENUMERATED is written as an INTEGER, X.690 8.4
      if (first === undefined) throw notDer(offset, 'has an empty INTEGER');
      if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
        throw notDer(offset, 'has a padded INTEGER, expected the shortest form');
      }
      break;
    case 3: // X.690 8.6.2 and 11.2
      checkBitString(value, offset);
      break;
    case 5: // X.690 8.8.2
      if (value.length !== 0) throw notDer(offset, 'has a NULL with content');
      break;
    case 6: // X.690 8.19.2
      checkObjectIdentifier(value, offset);
      break;
  }
}

function checkBitString(value: Uint8Array, offset: number): void {
  const unusedBits = value[0];
  if (unusedBits === undefined || unusedBits > 7 || (value.length === 1 && unusedBits !== 0)) {
    throw notDer(offset, 'has a BIT STRING with a wrong count of unused bits');
  }
  const last = value[value.length - 1] ?? 0;
  if (value.length > 1 && (last & ((1 << unusedBits) - 1)) !== 0) {
    throw notDer(offset, 'has a BIT STRING whose unused bits are not zero');
  }
}

function checkObjectIdentifier(value: Uint8Array, offset: number): void {
  let startsArc = true;
  for (const octet of value) {
    if (startsArc && octet === 0x80) throw notDer(offset, 'has a padded OBJECT IDENTIFIER');
    startsArc = octet < 0x80;
  }
  if (value.length === 0 || !startsArc) throw notDer(offset, 'has an unfinished OBJECT IDENTIFIER');
}

function notDer(offset: number, clause: string) {
  return invalid('not-der', `the DER ${clause} (at byte ${offset})`);
}
