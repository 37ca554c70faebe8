/**
 * The least that is needed to write ASN.1 by hand, right or wrong: tests build with it what no good library writes.
 * It shares nothing with the product's own writers.
 */
export type Octets = Uint8Array;

/** One element with the shortest definite length. */
export function tlv(tag: number, ...content: Octets[]): Octets {
  const value = Buffer.concat(content);
  if (value.length < 0x80) return Buffer.concat([Uint8Array.of(tag, value.length), value]);
  const digits = value.length.toString(16);
  const length = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
  return Buffer.concat([Uint8Array.of(tag, 0x80 | length.length), length, value]);
}

export const sequence = (...members: Octets[]): Octets => tlv(0x30, ...members);
export const set = (...members: Octets[]): Octets => tlv(0x31, ...members);
export const context = (number: number, ...members: Octets[]): Octets => tlv(0xa0 | number, ...members);
export const implicit = (number: number, content: Octets): Octets => tlv(0x80 | number, content);
export const octetString = (content: Octets): Octets => tlv(0x04, content);
export const bitString = (content: Octets): Octets => tlv(0x03, Uint8Array.of(0), content);
export const nothing = (): Octets => tlv(0x05);
export const yes = (): Octets => tlv(0x01, Uint8Array.of(0xff));
export const no = (): Octets => tlv(0x01, Uint8Array.of(0));
export const utf8 = (text: string): Octets => tlv(0x0c, Buffer.from(text, 'utf8'));
export const hex = (digits: string): Octets => Buffer.from(digits.replace(/\s/g, ''), 'hex');

/** An INTEGER from its content octets in hex, written as they are. */
export const integer = (digits: string): Octets => tlv(0x02, hex(digits));

export function oid(dotted: string): Octets {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const octets = [first * 40 + second, ...rest].flatMap((arc) => {
    const digits = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      digits.unshift((left & 0x7f) | 0x80);
    return digits;
  });
  return tlv(0x06, Uint8Array.from(octets));
}

/** A Name of single-valued RDNs; values are whole elements. */
export function name(...attributes: [type: string, value: Octets][]): Octets {
  return sequence(...attributes.map(([type, value]) => set(sequence(oid(type), value))));
}
