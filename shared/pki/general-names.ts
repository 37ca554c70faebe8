import { EverleafError } from '../domain/errors.ts';
import { childrenOf, contentOf, contextTag, type DerElement, TAG, tagOf } from './der-reader.ts';
import { decodeAscii } from './der-text.ts';
import { derContext, derSequence } from './der-writer.ts';
import { invalid } from './invalid.ts';
import { formatIpAddress, parseIpAddress } from './ip-address.ts';

/** The names of a subjectAltName (RFC 5280 section 4.2.1.6) by kind, each in its order. */
export interface AlternativeNames {
  readonly dns: readonly string[];
  readonly uris: readonly string[];
  /** Text form; IPv6 as RFC 5952 writes it. */
  readonly ipAddresses: readonly string[];
  readonly emails: readonly string[];
  /** How many of other kinds there are: directory names, other names, registered identifiers. */
  readonly otherCount: number;
}

export const NO_NAMES: AlternativeNames = { dns: [], uris: [], ipAddresses: [], emails: [], otherCount: 0 };

/** How many names there are of all kinds. */
export function countNames(names: AlternativeNames): number {
  return (
    names.dns.length + names.uris.length + names.ipAddresses.length + names.emails.length + names.otherCount
  );
}

/**
 * Reads GeneralNames.
 * @throws EverleafError InvalidInput, reason `malformed`, for an empty list, for text that is not printable ASCII and
 *   for addresses that are not 4 or 16 octets long.
 */
export function readGeneralNames(element: DerElement): AlternativeNames {
  const dns: string[] = [];
  const uris: string[] = [];
  const ipAddresses: string[] = [];
  const emails: string[] = [];
  let otherCount = 0;
  const members = childrenOf(element, TAG.sequence, 'subjectAltName');
  if (members.length === 0) throw invalid('malformed', 'subjectAltName is empty, expected at least one name');
  for (const member of members) {
    switch (tagOf(member)) {
      case contextTag(1):
        emails.push(readName(member));
        break;
      case contextTag(2):
        dns.push(readName(member));
        break;
      case contextTag(6):
        uris.push(readName(member));
        break;
      case contextTag(7):
        ipAddresses.push(readAddress(member));
        break;
      default:
        otherCount += 1;
    }
  }
  return { dns, uris, ipAddresses, emails, otherCount };
}

/**
 * Writes GeneralNames: URIs first, then DNS names, then addresses.
 * @throws EverleafError Internal for a name that is not printable ASCII or an address that is none.
 */
export function writeGeneralNames(names: {
  readonly uris: readonly string[];
  readonly dns: readonly string[];
  readonly ipAddresses: readonly string[];
}): DerElement {
  return derSequence(
    ...names.uris.map((uri) => derContext(6, asciiBytes(uri))),
    ...names.dns.map((name) => derContext(2, asciiBytes(name))),
    ...names.ipAddresses.map((address) => derContext(7, addressBytes(address))),
  );
}

/**
 * Whether the text is a host name that a certificate may carry: letters, digits and hyphens in labels of 1 to 63,
 * at most 253 in all (RFC 5280 section 4.2.1.6, RFC 1123 section 2.1), no wildcard, and not an address in disguise.
 */
export function isHostName(text: string): boolean {
  const labels = text.split('.');
  const last = labels.at(-1) ?? '';
  return (
    text.length <= 253 &&
    labels.every((label) => /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label)) &&
    !/^\d+$/.test(last)
  );
}

/** The bytes of an IA5String. @throws EverleafError Internal when the text is not printable ASCII. */
export function asciiBytes(text: string): Uint8Array {
  if (!/^[\x21-\x7e]+$/.test(text)) {
    throw new EverleafError(
      'Internal',
      `Cannot write the name ${JSON.stringify(text)}: expected printable ASCII.`,
    );
  }
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

function readName(member: DerElement): string {
  const text = decodeAscii(contentOf(member), 'a name in subjectAltName');
  // A zero byte or a line break in a name has fooled verifiers (CVE-2009-2408) and would forge lines in logs.
  if (!/^[\x21-\x7e]+$/.test(text)) {
    throw invalid(
      'malformed',
      `a name in subjectAltName is not printable: ${JSON.stringify(text.slice(0, 80))}`,
    );
  }
  return text;
}

function readAddress(member: DerElement): string {
  const octets = contentOf(member);
  const text = formatIpAddress(octets);
  if (text === null) {
    throw invalid('malformed', `an address in subjectAltName has ${octets.length} octets, expected 4 or 16`);
  }
  return text;
}

function addressBytes(address: string): Uint8Array {
  const octets = parseIpAddress(address);
  if (octets === null) {
    throw new EverleafError('Internal', `Cannot write ${JSON.stringify(address)}: expected an IP address.`);
  }
  return octets;
}
