import forge from 'node-forge';
import { unsignedContent } from './der-bytes.ts';
import { type DerElement, parseDer } from './der-reader.ts';
import { generalizedTimeText, timeText } from './der-time.ts';

const { Class, Type } = forge.asn1;
const binary = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

function universal(type: forge.asn1.Type, value: string): DerElement {
  return forge.asn1.create(Class.UNIVERSAL, type, false, value);
}

/** An element from its finished DER, taken over byte for byte. */
export function rawDer(der: Uint8Array): DerElement {
  return parseDer(der);
}

export function derSequence(...members: DerElement[]): DerElement {
  return forge.asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, members);
}

/** A SET with one member: the only kind written here, so that the order DER asks for never matters. */
export function derSetOfOne(member: DerElement): DerElement {
  return forge.asn1.create(Class.UNIVERSAL, Type.SET, true, [member]);
}

/** `[number] IMPLICIT` over a primitive type, from its content octets. */
export function derContext(number: number, content: Uint8Array): DerElement {
  return forge.asn1.create(Class.CONTEXT_SPECIFIC, number, false, binary(content));
}

/** `[number] EXPLICIT`, or `[number] IMPLICIT` over a constructed type. */
export function derConstructedContext(number: number, ...members: DerElement[]): DerElement {
  return forge.asn1.create(Class.CONTEXT_SPECIFIC, number, true, members);
}

export function derTrue(): DerElement {
  return universal(Type.BOOLEAN, '\xff');
}

export function derNull(): DerElement {
  return universal(Type.NULL, '');
}

/** @param oid dotted form, each arc below 2^32. */
export function derOid(oid: string): DerElement {
  return universal(Type.OID, forge.asn1.oidToDer(oid).getBytes());
}

/**
 * A non-negative INTEGER from its magnitude, big-endian; leading zeros are dropped and the sign octet is added
 * where the top bit is set. Zero is a single zero octet.
 */
export function derUnsignedInteger(magnitude: Uint8Array): DerElement {
  return universal(Type.INTEGER, binary(unsignedContent(magnitude)));
}

/** @param unusedBits 0 to 7: how many bits at the end of the last octet do not count; they must be zero. */
export function derBitString(bytes: Uint8Array, unusedBits = 0): DerElement {
  return universal(Type.BITSTRING, String.fromCharCode(unusedBits) + binary(bytes));
}

export function derOctetString(bytes: Uint8Array): DerElement {
  return universal(Type.OCTETSTRING, binary(bytes));
}

export function derUtf8String(text: string): DerElement {
  return universal(Type.UTF8, binary(Buffer.from(text, 'utf8')));
}

/**
 * A time as RFC 5280 section 4.1.2.5 wants it: UTCTime through 2049, GeneralizedTime from 2050 on, to the second,
 * in UTC.
 * @throws EverleafError Internal when the instant has a fraction of a second or lies outside 1950 to 9999.
 */
export function derTime(instant: Date): DerElement {
  const { tag, text } = timeText(instant);
  return universal(tag, text);
}

/**
 * A time of the type GeneralizedTime whatever the year, as OCSP wants it.
 * @throws EverleafError Internal when the instant has a fraction of a second or lies outside 0 to 9999.
 */
export function derGeneralizedTime(instant: Date): DerElement {
  return universal(Type.GENERALIZEDTIME, generalizedTimeText(instant));
}

/** @param value 0 to 127 */
export function derEnumerated(value: number): DerElement {
  return universal(Type.ENUMERATED, String.fromCharCode(value));
}
