/** Where a call came from: an address as a front end writes it, and the network that one caller can be held to. */

/** Longer than any address with its port: what follows is not looked at. */
const MOST_CHARACTERS = 64;
/** 0 to 255, written without leading zeros. */
const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const IPV4 = new RegExp(`^(?:${OCTET}\\.){3}${OCTET}$`);
const IPV6_GROUPS = 8;
/** A network of one subscriber: the lower half of an address is its owner's to choose (RFC 4291, 2.5.1; RFC 8981). */
const NETWORK_GROUPS = 4;

/**
 * The address in one hop of X-Forwarded-For, without a port: `10.0.0.1:50000` and `[2001:db8::1]:50000` as Azure's
 * front end writes them, or bare. IPv6 comes out in the one form of RFC 5952 without its `::`, an IPv4 address inside
 * IPv6 (RFC 4291, 2.5.5.2) as IPv4.
 * @returns null for what is no address: a caller must not be able to invent sources
 */
export function addressOf(hop: string): string | null {
  const text = hop.trim();
  if (text.length > MOST_CHARACTERS) return null;
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text)?.[1];
  const host = bracketed ?? (/^[^:]+:\d{1,5}$/.test(text) ? text.slice(0, text.indexOf(':')) : text);
  if (bracketed === undefined && IPV4.test(host)) return host;
  const groups = ipv6Groups(host);
  if (groups === null) return null;
  const [, , , , , marker = 0, high = 0, low = 0] = groups;
  if (marker === 0xffff && groups.slice(0, 5).every((group) => group === 0)) {
    return [high >> 8, high & 255, low >> 8, low & 255].join('.');
  }
  return groups.map((group) => group.toString(16)).join(':');
}

/** What limits are counted by: an IPv4 address itself, the /64 of an IPv6 one. Takes what `addressOf` gave. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  return `${address.split(':').slice(0, NETWORK_GROUPS).join(':')}::/64`;
}

/** The eight numbers of an IPv6 address (RFC 4291, 2.2), or null. A zone (`%eth0`) means nothing to anybody else. */
function ipv6Groups(text: string): number[] | null {
  const [head = '', tail, ...more] = withoutDottedEnd(text).split('::');
  if (more.length > 0) return null;
  const before = groupsOf(head);
  const behind = groupsOf(tail ?? '');
  if (before === null || behind === null) return null;
  const missing = IPV6_GROUPS - before.length - behind.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  return [...before, ...new Array<number>(missing).fill(0), ...behind];
}

function groupsOf(text: string): number[] | null {
  if (text === '') return [];
  const groups = text.split(':');
  return groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))
    ? groups.map((group) => Number.parseInt(group, 16))
    : null;
}

/** `::ffff:10.0.0.1` as `::ffff:a00:1`. */
function withoutDottedEnd(text: string): string {
  const dotted = text.slice(text.lastIndexOf(':') + 1);
  if (!text.includes(':') || !IPV4.test(dotted)) return text;
  const [a = 0, b = 0, c = 0, d = 0] = dotted.split('.').map(Number);
  const hex = [(a << 8) | b, (c << 8) | d].map((group) => group.toString(16));
  return text.slice(0, -dotted.length) + hex.join(':');
}
