/** As much DER (X.690) as a certificate request needs, written; and read, as much as finds a name in a certificate. */

/** One element: tag, length, content. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content]);
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

export const sequence = (...items: readonly Uint8Array[]): Buffer => element(0x30, ...items);
export const set = (...items: readonly Uint8Array[]): Buffer => element(0x31, ...items);
export const utf8String = (text: string): Buffer => element(0x0c, Buffer.from(text, 'utf8'));
export const octetString = (bytes: Uint8Array): Buffer => element(0x04, bytes);
/** Of whole bytes. */
export const bitString = (bytes: Uint8Array): Buffer => element(0x03, Buffer.from([0]), bytes);
export const TRUE: Buffer = element(0x01, Buffer.from([0xff]));
export const NULL: Buffer = element(0x05);
/** `[number]`, constructed: explicit tags, and implicit ones of a SET or SEQUENCE. */
export const tagged = (number: number, ...items: readonly Uint8Array[]): Buffer =>
  element(0xa0 | number, ...items);

/** @param value 0 to 127 */
export function smallInteger(value: number): Buffer {
  return element(0x02, Buffer.from([value]));
}

/** @param dotted such as `2.5.4.3` */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const septets = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
      septets.unshift((left % 128) | 0x80);
    }
    return septets;
  });
  return element(0x06, Buffer.from(bytes));
}

/** A certificate's time: UTCTime through 2049, GeneralizedTime from 2050 on (RFC 5280, 4.1.2.5). */
export function time(at: Date): Buffer {
  const digits = at
    .toISOString()
    .replace(/\.\d{3}/, '')
    .replace(/[-:T]/g, '');
  const isEarly = at.getUTCFullYear() < 2050;
  return element(isEarly ? 0x17 : 0x18, Buffer.from(isEarly ? digits.slice(2) : digits, 'latin1'));
}

/**
 * The subject of a certificate, as it stands there.
 * @param certificate DER that node:crypto has parsed before
 */
export function subjectOf(certificate: Uint8Array): Buffer {
  const [tbs = Buffer.alloc(0)] = children(Buffer.from(certificate));
  const fields = children(tbs);
  // TBSCertificate (RFC 5280, 4.1): [0] version, serialNumber, signature, issuer, validity, subject. v1 has no version.
  const subject = fields[fields[0]?.[0] === 0xa0 ? 5 : 4];
  if (subject === undefined) throw new Error('The certificate has no subject.');
  return subject;
}

/** The elements inside an element. */
function children(der: Buffer): Buffer[] {
  const items: Buffer[] = [];
  for (let rest = der.subarray(headerOf(der).header); rest.length > 0; ) {
    const { header, length } = headerOf(rest);
    items.push(rest.subarray(0, header + length));
    rest = rest.subarray(header + length);
  }
  return items;
}

function headerOf(der: Buffer): { header: number; length: number } {
  const first = der[1] ?? 0;
  if (first < 0x80) return { header: 2, length: first };
  const size = first & 0x7f;
  return { header: 2 + size, length: der.readUIntBE(2, size) };
}
