import {
  addMs,
  DAY_MS,
  earlier,
  HOUR_MS,
  later,
  MINUTE_MS,
  SECOND_MS,
  toInstant,
  wholeSecond,
} from './instants.ts';
import { AUTHORITY_PREPARE, type KeyType, MIN_LEAF_LIFE_MS } from './policy.ts';

/**
 * `Creating` until its certificate is in the vault; `Prepared` until the trust bundle carries it; `Published` while
 * everybody learns to trust it; `Active` while it signs; `Retiring` until the last certificate that it signed has ended;
 * `Retired` from then on, and at once when it was given up before it ever signed. `Tainted`: its key may be in wrong hands,
 * so it signs no more and what it signed is replaced; then it is `Revoked`.
 */
export const AUTHORITY_STATES = [
  'Creating',
  'Prepared',
  'Published',
  'Active',
  'Retiring',
  'Retired',
  'Tainted',
  'Revoked',
] as const;
export type AuthorityState = (typeof AUTHORITY_STATES)[number];

/**
 * A certificate for this authority's name and key that another authority has signed: who trusts that one alone accepts
 * what this one signs by way of it.
 */
export interface CrossCertificate {
  readonly issuerId: string;
  readonly serialNumber: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** DER; null until it is signed. */
  readonly certificate: Uint8Array | null;
}

/** Why an authority counts as compromised, and how far its replacement has come. */
export interface Taint {
  readonly reason: string;
  /** The operator's id. */
  readonly requestedBy: string;
  /** Set while an operator holds the waves of renewals back. */
  readonly pausedAt: Date | null;
  /** The operation that shows how far it is. */
  readonly operationId: string | null;
  /** When the newest wave began; null before the first. */
  readonly waveAt: Date | null;
  readonly waves: number;
  /** The newest wave, as places in the operation's list: the first of its items and the first behind them. */
  readonly waveFrom: number;
  readonly waveTo: number;
  /** Whether nothing of the newest wave is left that the vaults are still to make. */
  readonly isWaveDone: boolean;
  /** When the whole fleet was last searched for what the waves had missed; null before the first time. */
  readonly sweptAt: Date | null;
}

/** An authority's record. Its private key exists in the vault alone; `keyId` is the versioned key that signs. */
export interface Authority {
  readonly v: 1;
  readonly id: string;
  readonly state: AuthorityState;
  readonly keyType: KeyType;
  readonly serialNumber: string;
  readonly issuedAt: Date;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly commonName: string;
  /** Hash of its SubjectPublicKeyInfo, written before the certificate is signed. */
  readonly spkiHash: string | null;
  /** Key Vault key id with its version. */
  readonly keyId: string | null;
  readonly certificate: Uint8Array | null;
  readonly vaultVersion: string | null;
  /** The authority that it follows; null for the first. */
  readonly predecessorId: string | null;
  readonly crossCertificates: readonly CrossCertificate[];
  /** The certificates above it, its issuer first and an outside root last; empty for a self-signed authority. */
  readonly issuers: readonly Uint8Array[];
  /** The longest life of a certificate that it may have signed, in days: raised before the first of that life. */
  readonly leafValidityDays: number;
  readonly publishedAt: Date | null;
  readonly activatedAt: Date | null;
  readonly retiringAt: Date | null;
  readonly retiredAt: Date | null;
  readonly taintedAt: Date | null;
  readonly revokedAt: Date | null;
  /** When its key was taken out of use, after the authority had ended; null while the vault still signs with it. */
  readonly keyDisabledAt: Date | null;
  readonly taint: Taint | null;
}

/** An authority whose key and certificate exist. */
export type FinishedAuthority = Authority & {
  readonly keyId: string;
  readonly certificate: Uint8Array;
};

/** An authority that signs certificates of clients. */
export type ActiveAuthority = FinishedAuthority & { readonly state: 'Active' };

export function isFinished(authority: Authority): authority is FinishedAuthority {
  return authority.state !== 'Creating' && authority.keyId !== null && authority.certificate !== null;
}

export function isActive(authority: Authority): authority is ActiveAuthority {
  return authority.state === 'Active' && isFinished(authority);
}

const IN_BUNDLE: readonly AuthorityState[] = ['Published', 'Active', 'Retiring', 'Tainted'];

/** Whether the trust bundle carries it: a certificate in force may need it, now or soon. */
export function isTrusted(authority: Authority): authority is FinishedAuthority {
  return IN_BUNDLE.includes(authority.state) && isFinished(authority);
}

/** Whether others may have its key: what it signed says nothing any more about who holds it. */
export function isCompromised({ state }: Pick<Authority, 'state'>): boolean {
  return state === 'Tainted' || state === 'Revoked';
}

/** Whether it is on its way to sign. */
export function isSuccessor({ state }: Pick<Authority, 'state'>): boolean {
  return state === 'Creating' || state === 'Prepared' || state === 'Published';
}

/** Whether its request was handed out, and has not come back signed by the outside root. */
export function awaitsOutsideRoot(authority: Authority): boolean {
  // A self-signed authority's hash is written down together with its certificate.
  return authority.state === 'Creating' && authority.certificate === null && authority.spkiHash !== null;
}

/** What agents trust for an authority's sake: its own certificate, or the outside root above it. DER. */
export function trustAnchor(authority: {
  readonly certificate: Uint8Array;
  readonly issuers: readonly Uint8Array[];
}): Uint8Array {
  return authority.issuers.at(-1) ?? authority.certificate;
}

/** The authority's subject: a name of its own per id, so that two authorities never share one. */
export function authorityCommonName(id: string): string {
  return `Everleaf Authority ${id}`;
}

/** When the authority's successor should be prepared: half of its life. */
export function prepareSuccessorAt(authority: Pick<Authority, 'issuedAt' | 'notAfter'>): Date {
  const life = authority.notAfter.getTime() - authority.issuedAt.getTime();
  return addMs(authority.issuedAt, Math.floor((life * AUTHORITY_PREPARE) / 1000) * 1000);
}

/**
 * When its successor signs at the latest, whoever has not learned of it yet: from then on a certificate of whole length
 * would outlive the authority. An authority hardly longer than its certificates goes on to half of its life.
 * @param validityDays life of a client's certificate
 */
export function activateSuccessorBy(
  authority: Pick<Authority, 'issuedAt' | 'notAfter'>,
  validityDays: number,
): Date {
  return later(prepareSuccessorAt(authority), addMs(authority.notAfter, -validityDays * DAY_MS));
}

/** Whether it has enough left to sign certificates that are worth having. */
export function canIssue({ notAfter }: Pick<Authority, 'notAfter'>, now: Date): boolean {
  return notAfter.getTime() - now.getTime() >= MIN_LEAF_LIFE_MS;
}

/** What was decided while it still signed may be signed a little later, and clocks differ. */
const LATE_MS = HOUR_MS;

/**
 * When the last certificate of an authority that signs no more has ended, and the bundle can do without it. Bounded by the
 * longest life that it may have given, so that no certificate has to be looked for.
 */
export function retireAt({
  notAfter,
  retiringAt,
  leafValidityDays,
}: Pick<Authority, 'notAfter' | 'retiringAt' | 'leafValidityDays'>): Date {
  const end = addMs(notAfter, SECOND_MS);
  return retiringAt === null
    ? end
    : earlier(end, wholeSecond(addMs(retiringAt, leafValidityDays * DAY_MS + LATE_MS)));
}

/** What was begun before a taint ends with its invocation (`functionTimeout` in host.json, ten minutes); clocks differ. */
const ON_ITS_WAY_MS = 15 * MINUTE_MS;

/**
 * When a tainted authority can be revoked at the earliest: what was on its way to be signed when it was tainted is in the
 * record by then, and is counted. Null for one that is not tainted.
 */
export function revokeAt({ taintedAt }: Pick<Authority, 'taintedAt'>): Date | null {
  return taintedAt === null ? null : addMs(taintedAt, ON_ITS_WAY_MS);
}

/** What stands in a plan about an authority: when it ends, in words. */
export function authorityEndText(authority: Pick<Authority, 'id' | 'notAfter'>): string {
  return `authority ${authority.id} ends at ${toInstant(authority.notAfter)}`;
}
