/**
 * The octets of an IP address in text, 4 or 16, as iPAddress in subjectAltName carries them (RFC 5280 section
 * 4.2.1.6), or null when the text is no address. Dotted IPv4 has exactly four decimal parts without leading zeros.
 */
export function parseIpAddress(text: string): Uint8Array | null {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/**
 * The text of 4 or 16 octets: dotted decimal, or the canonical form of RFC 5952.
 * @returns null for any other length.
 */
export function formatIpAddress(octets: Uint8Array): string | null {
  if (octets.length === 4) return octets.join('.');
  if (octets.length !== 16) return null;
  const groups: string[] = [];
  for (let index = 0; index < 16; index += 2) {
    groups.push((((octets[index] ?? 0) << 8) | (octets[index + 1] ?? 0)).toString(16));
  }
  // The URL standard's serializer is RFC 5952, section 4, without the mixed notation of section 5.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

function parseIpv4(text: string): Uint8Array | null {
  const parts = text.split('.');
  const isDotted =
    parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
  return isDotted ? Uint8Array.from(parts, Number) : null;
}

function parseIpv6(text: string): Uint8Array | null {
  if (!/^[0-9a-fA-F:.]+$/.test(text) || !URL.canParse(`http://[${text}]`)) return null;
  const canonical = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  const groups = [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16));
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}
