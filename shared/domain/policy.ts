/** The numbers of the credential life cycle, and what follows from them. Every one is a setting. */
import { addMs, DAY_MS, earlier, SECOND_MS, wholeSecond } from './instants.ts';

/** What the product can make keys of: RSA by modulus length, EC by curve. */
export type KeyType = 'RSA-2048' | 'RSA-3072' | 'RSA-4096' | 'EC-P256';

export interface Policy {
  /** Life of a client's certificate, in days: 90 in the cloud agent since April 2022. */
  readonly certificateValidityDays: number;
  /** Life of a token, in days: 90 in the cloud agent since April 2022, 60 before. */
  readonly tokenValidityDays: number;
  /** Life of an authority, in days: the cloud agent's CA certificate lives one year. */
  readonly authorityValidityDays: number;
  /** Keys made in the vault for clients: the cloud agent's own clients know RSA only. */
  readonly clientKeyType: 'RSA-2048' | 'RSA-3072' | 'RSA-4096';
  /** Who keeps the keys of a workload cluster's clients when the cluster does not say; its kubelets keep their own. */
  readonly workloadDelivery: 'vault' | 'agent';
  readonly authorityKeyType: KeyType;
  /** Who signs an authority's certificate: its own key, or a root outside to which its request is handed out. */
  readonly authorityRoot: 'self' | 'outside';
  /** SHA-256 of the outside roots that are accepted, lower-case hex; empty for any. */
  readonly authorityRoots: readonly string[];
  /** Keys a scan may ask of a vault per minute, far below Key Vault's service limit of 20 key creations in 10 s. */
  readonly vaultKeysPerMinute: number;
  /** How long after its end a certificate can still be renewed with proof of its key, in days. */
  readonly recoveryWindowDays: number;
  /** How many times in a row an instance may do that. */
  readonly recoveryBudget: number;
  /** A cluster whose credentials were not updated for so many days is reported: the cloud agent's month, twice. */
  readonly updateReminderDays: number;
  /** Refused tokens of one source in a minute before it is turned away unheard: far more than an agent ever needs. */
  readonly loginFailuresPerSource: number;
  /** Certificates, tokens and notes that one identity may ask for in an hour: far more than its replicas ever need. */
  readonly issuancesPerIdentity: number;
  /** Identities that are asked at once for a certificate by another authority when one is tainted. */
  readonly taintWaveSize: number;
  /** The least time from one such wave to the next, in minutes. */
  readonly taintWaveMinutes: number;
  /** Life of a revocation list, in hours; it is replaced when two thirds of that are left. */
  readonly crlValidityHours: number;
  /** OCSP answers that are signed in a minute: far below Key Vault's service limit of 2,000 operations in 10 s. */
  readonly ocspSignaturesPerMinute: number;
  /** Of these, answers for one source alone, which nobody else can be given: those with a nonce, for instance. */
  readonly ocspSignaturesPerSource: number;
}

/** notBefore lies this far before issuing, for clocks that are behind; Key Vault's own certificates use 600 s. */
export const BACKDATE_MS = 300 * SECOND_MS;

/** Within this of its authority's end nothing is issued any more: a leaf of hours would renew in a storm. */
export const MIN_LEAF_LIFE_MS = DAY_MS;

/** The renewal window, as fractions of a credential's life: half a life of slack for nodes that are off. */
export const WINDOW_OPENS = 0.4;
export const WINDOW_CLOSES = 0.5;

/** The next authority is due at this fraction of the active one's life. */
export const AUTHORITY_PREPARE = 0.5;

/** A credential's life: both ends count as valid, whole seconds (RFC 5280, 4.1.2.5: notAfter is inclusive). */
export interface Validity {
  readonly issuedAt: Date;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * The life of something issued at `issuedAt` for `days` days: notAfter is the last second inside it.
 * @param limit no end lies after this one, because a leaf that outlives its authority verifies nowhere
 */
export function validityFor(issuedAt: Date, days: number, limit?: Date): Validity {
  const start = wholeSecond(issuedAt);
  const end = addMs(start, days * DAY_MS - SECOND_MS);
  return {
    issuedAt: start,
    notBefore: addMs(start, -BACKDATE_MS),
    notAfter: limit === undefined ? end : earlier(end, limit),
  };
}

/** The renewal window of a credential, and this credential's own moment inside it. */
export interface RenewalWindow {
  readonly opensAt: Date;
  readonly closesAt: Date;
  readonly renewAfter: Date;
}

/**
 * When to renew: somewhere between 40 % and 50 % of the life, by `spread`, so that a fleet made together does not
 * renew together.
 * @param id serial number or token id as hex: its last 32 bits are the spread
 */
export function renewalWindow(issuedAt: Date, notAfter: Date, id: string): RenewalWindow {
  const life = notAfter.getTime() - issuedAt.getTime();
  const at = (fraction: number) => wholeSecond(addMs(issuedAt, life * fraction));
  return {
    opensAt: at(WINDOW_OPENS),
    closesAt: at(WINDOW_CLOSES),
    renewAfter: at(WINDOW_OPENS + (WINDOW_CLOSES - WINDOW_OPENS) * spreadOf(id)),
  };
}

/** The last 32 bits of a hexadecimal id, as a fraction from 0 up to, not including, 1. */
export function spreadOf(id: string): number {
  return Number.parseInt(id.slice(-8), 16) / 2 ** 32;
}
