import type {
  CertificateHead,
  CertificateState,
  Failure,
  Identity,
  TokenState,
} from '../../shared/domain/identity.ts';
import { renewalWindow, validityFor } from '../../shared/domain/policy.ts';
import { tokenDates } from '../../shared/domain/token.ts';

const NINETY_DAYS_IN_SECONDS = 90 * 86_400;

/** When everything that the builders make was issued, unless a test says otherwise. */
export const ISSUED_AT = new Date('2026-11-21T00:00:00Z');

/** Ends in 80000000: the middle of the renewal window. */
export const SERIAL_NUMBER = '5eb63bbbe01eeed093cb22bb80000000';
const TOKEN_ID = '09c0ffee09c0ffee09c0ffee80000000';

type HeadChanges = Partial<CertificateHead> & { readonly days?: number };

/** A certificate of 90 days, or `days`, with the dates that the policy gives one issued at `issuedAt`. */
export function buildHead({ days = 90, ...changes }: HeadChanges = {}): CertificateHead {
  const serialNumber = changes.serialNumber ?? SERIAL_NUMBER;
  const validity = validityFor(changes.issuedAt ?? ISSUED_AT, days);
  return {
    serialNumber,
    ...validity,
    renewAfter: renewalWindow(validity.issuedAt, validity.notAfter, serialNumber).renewAfter,
    renewCount: 0,
    authorityId: 'a1',
    vaultVersion: 'v1',
    ...changes,
  };
}

/** A failure just met at `at`, to be tried again a minute later. */
export function buildFailure(at: Date, changes: Partial<Failure> = {}): Failure {
  return {
    at,
    code: 'VaultThrottled',
    attempts: 1,
    retryAt: new Date(at.getTime() + 60_000),
    ...changes,
  };
}

export interface IdentityChanges extends Partial<Omit<Identity, 'certificate' | 'token'>> {
  readonly certificate?: Partial<CertificateState>;
  readonly token?: Partial<TokenState>;
}

/**
 * An identity whose certificate and token were issued at ISSUED_AT for 90 days and delivered: healthy until it is
 * changed. An agent-delivered one has no certificate of its own in the record, as its lines stand elsewhere.
 */
export function buildIdentity({ certificate, token, ...changes }: IdentityChanges = {}): Identity {
  const delivery = changes.delivery ?? 'vault';
  const quiet = {
    generation: 1,
    dueKey: null,
    queuedAt: null,
    lastSuccessAt: null,
    failure: null,
    forcedAt: null,
  };
  const id = token?.id ?? TOKEN_ID;
  const expiryInSeconds = changes.tokenExpiryInSeconds ?? NINETY_DAYS_IN_SECONDS;
  return {
    v: 1,
    cluster: 'management',
    name: 'KMS',
    clientType: 'ExternalClient',
    delivery,
    credentials: 'cloud',
    autoRotate: delivery === 'vault',
    tokenExpiryInSeconds: expiryInSeconds,
    tokenMaxUses: null,
    dnsNames: [],
    createdAt: ISSUED_AT,
    revokedAt: null,
    revocationReason: null,
    deletedAt: null,
    incarnation: 1,
    creationId: null,
    lastSeenAt: null,
    acknowledgedBundleId: null,
    lockedInstances: 0,
    issuances: null,
    certificate: {
      ...quiet,
      attempt: null,
      head: delivery === 'vault' ? buildHead() : null,
      ...certificate,
    },
    token: {
      ...quiet,
      id,
      ...tokenDates(token?.issuedAt ?? ISSUED_AT, expiryInSeconds, id),
      usedGeneration: -1,
      floorGeneration: 0,
      handoverGeneration: -1,
      vaultVersion: delivery === 'vault' ? 'v1' : null,
      predecessorExpiresAt: null,
      ...token,
    },
    ...changes,
  };
}

/** A moment: `days` and `seconds` after ISSUED_AT. */
export function after(days: number, seconds = 0): Date {
  return new Date(ISSUED_AT.getTime() + (days * 86_400 + seconds) * 1000);
}
