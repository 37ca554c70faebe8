/** DER as bytes from the start: a list of 50,000 members is no tree of elements, each an object of its own. */

/** One element: its tag, the length of its parts in as few octets as possible (X.690 10.1), and the parts. */
export function derBytes(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const header = derHeader(tag, length);
  const bytes = new Uint8Array(header.length + length);
  bytes.set(header);
  let next = header.length;
  for (const part of parts) {
    bytes.set(part, next);
    next += part.length;
  }
  return bytes;
}

/** X.690 8.1.3 and 10.1: a definite length in as few octets as possible. */
export function derHeader(tag: number, length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(tag, length);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Uint8Array.of(tag, 0x80 | octets.length, ...octets);
}

/**
 * The content of a non-negative INTEGER from its magnitude, big-endian; leading zeros are dropped and the sign octet
 * is added where the top bit is set. Zero is a single zero octet.
 */
export function unsignedContent(magnitude: Uint8Array): Uint8Array {
  const firstUsed = magnitude.findIndex((octet) => octet !== 0);
  const digits = firstUsed === -1 ? Uint8Array.of(0) : magnitude.subarray(firstUsed);
  return (digits[0] ?? 0) >= 0x80 ? Uint8Array.of(0, ...digits) : digits;
}
