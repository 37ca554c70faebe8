import {
  childrenOf,
  constructedContextTag,
  contentOf,
  contextTag,
  type DerElement,
  DerFields,
  parseDer,
  tagOf,
} from './der-reader.ts';
import { decodeAscii } from './der-text.ts';
import { invalid } from './invalid.ts';

/** One name of NameConstraints; `uri` is null for a name of another kind. */
interface Subtree {
  readonly kind: 'URI' | 'DNS' | 'directory' | 'other';
  readonly uri: string | null;
}

export interface NameConstraints {
  readonly permitted: readonly Subtree[];
  readonly excluded: readonly Subtree[];
}

/**
 * Reads NameConstraints, RFC 5280 section 4.2.1.10.
 * @throws EverleafError InvalidInput, reason `malformed`, also for the minimum and maximum that no profile allows.
 */
export function readNameConstraints(value: Uint8Array): NameConstraints {
  const fields = new DerFields(parseDer(value), 'nameConstraints');
  const permitted = readSubtrees(fields.takeOptional(constructedContextTag(0)), 0);
  const excluded = readSubtrees(fields.takeOptional(constructedContextTag(1)), 1);
  fields.end();
  return { permitted, excluded };
}

/**
 * Why certificates of Everleaf's clients would not be accepted below a certificate with these constraints, as a clause;
 * null when they will be. Every one of them carries a SPIFFE ID of the trust domain, whose host a constraint on URIs is
 * about, and a subject; identities may be given DNS names at any time, so a constraint on those cannot be promised to hold.
 * A permitted domain is read as RFC 5280 section 4.2.1.10 has it and an excluded one as the strictest verifiers do, to
 * which `example.com` is `.example.com` as well.
 * @param trustDomain a host name in lower case
 */
export function constraintAgainst(
  { permitted, excluded }: NameConstraints,
  trustDomain: string,
): string | null {
  const broken = [...permitted, ...excluded].find(({ kind }) => kind === 'DNS' || kind === 'directory');
  if (broken !== undefined) {
    return `it constrains ${broken.kind} names, and Everleaf's certificates carry such names of every kind`;
  }
  const permittedUris = permitted.flatMap(({ uri }) => uri ?? []);
  if (permittedUris.length > 0 && !permittedUris.some((domain) => isIn(trustDomain, domain))) {
    return `it permits URIs of ${permittedUris.join(', ')} alone, and not those of ${trustDomain}`;
  }
  const excludedUris = excluded.flatMap(({ uri }) => uri ?? []);
  if (excludedUris.some((domain) => isInOrBelow(trustDomain, domain))) {
    return `it excludes URIs of ${excludedUris.join(', ')}, and so those of ${trustDomain}`;
  }
  return null;
}

function isIn(host: string, domain: string): boolean {
  return domain.startsWith('.') ? host.endsWith(domain) && host.length > domain.length : host === domain;
}

function isInOrBelow(host: string, domain: string): boolean {
  const bare = domain.replace(/^\./, '');
  return bare === '' || host === bare || host.endsWith(`.${bare}`);
}

function readSubtrees(list: DerElement | null, number: number): Subtree[] {
  if (list === null) return [];
  const members = childrenOf(list, constructedContextTag(number), 'nameConstraints');
  if (members.length === 0) throw invalid('malformed', 'nameConstraints has an empty list of subtrees');
  return members.map((member) => {
    const fields = new DerFields(member, 'a subtree of nameConstraints');
    const base = fields.take('base');
    // minimum and maximum: "minimum MUST be zero, and maximum MUST be absent", and a default is left out in DER.
    fields.end();
    return readBase(base);
  });
}

function readBase(base: DerElement): Subtree {
  switch (tagOf(base)) {
    case contextTag(6):
      return { kind: 'URI', uri: decodeAscii(contentOf(base), 'a URI in nameConstraints').toLowerCase() };
    case contextTag(2):
      return { kind: 'DNS', uri: null };
    case constructedContextTag(4):
      return { kind: 'directory', uri: null };
    default:
      return { kind: 'other', uri: null };
  }
}
