import type { CredentialKind, Identity } from './identity.ts';
import { addMs, DAY_MS } from './instants.ts';
import { nextReminderAt } from './reminders.ts';
import { isLeftToOthers, planCredential } from './renewal-plan.ts';

/** What a look at record and vault can find that no resumed step would ever see. The names stand in events. */
export const FINDINGS = [
  /** The vault serves a version that the record knows nothing of: somebody else made it, or its record was lost. */
  'vault-version-unknown',
  /** The vault serves another version of ours than the one that the record has in force. */
  'vault-version-other',
  /** The vault serves nothing where the record has a certificate in force. */
  'vault-version-missing',
  /** The version in force is disabled in the vault: its client cannot read the key. */
  'vault-version-disabled',
  /** The vault holds enabled versions of a deleted identity: it did not answer when that was deleted, or a kill came first. */
  'vault-version-left',
  /** An identity lives on in a cluster that was deleted. */
  'cluster-deleted',
  /** A request waits in the vault, and no attempt of the record is behind it. */
  'request-left-over',
  /** A credential is marked as queued, and has been for longer than any message lives. */
  'queue-mark-stale',
  /** Nothing in the due index will ever bring up a credential that somebody must see to. */
  'due-row-missing',
  /** The due index brings a credential up long after it is due. */
  'due-row-late',
  /** A row of the due index that its credential does not point to. */
  'due-row-stray',
  /** A certificate is revoked, and no revocation list will name it; or one names it that is not revoked. */
  'revocation-unlisted',
  /** The vault's current version of an authority is not the one in the record. */
  'authority-differs',
] as const;

export type FindingName = (typeof FINDINGS)[number];

export interface Finding {
  readonly name: FindingName;
  readonly kind: CredentialKind;
}

/** What was read about one identity beside its record. */
export interface IdentityFacts {
  /** Null for agent delivery, and while an attempt is being made: whoever finishes it looks at the vault anyway. */
  readonly vault: VaultFacts | null;
  /** Moment of the due row that the record points to; null when there is no such row, or it is another's. */
  readonly dueAt: Readonly<Record<CredentialKind, Date | null>>;
}

export interface VaultFacts {
  /** The current version, and whether the record has exactly this certificate for this identity. */
  readonly current: {
    readonly version: string;
    readonly isRecorded: boolean;
    readonly isEnabled: boolean;
  } | null;
  readonly isRequestWaiting: boolean;
}

/** Longer than any message, retry or scan that is still to come takes: what is older than this is stuck. */
const PATIENCE_MS = DAY_MS;

const KINDS = ['certificate', 'token'] as const;

/** False while an attempt is under way: the vault is in between two versions then, and nothing can be said of it. */
export function isVaultSettled({ delivery, revokedAt, certificate }: Identity): boolean {
  return delivery === 'vault' && revokedAt === null && certificate.attempt === null;
}

/** What is wrong with an identity that nothing else would notice. Pure: the same facts give the same findings. */
export function findInIdentity(identity: Identity, facts: IdentityFacts, now: Date): readonly Finding[] {
  const findings: Finding[] = [];
  const vaultFinding = facts.vault === null ? null : findVersion(identity, facts.vault);
  if (vaultFinding !== null) findings.push({ name: vaultFinding, kind: 'certificate' });
  if (facts.vault?.isRequestWaiting === true && isLeftOver(identity, now)) {
    findings.push({ name: 'request-left-over', kind: 'certificate' });
  }
  for (const kind of KINDS) {
    const { queuedAt } = identity[kind];
    if (queuedAt !== null && addMs(queuedAt, PATIENCE_MS) < now) {
      findings.push({ name: 'queue-mark-stale', kind });
    }
    const dueFinding = findDueRow(identity, kind, facts.dueAt[kind], now);
    if (dueFinding !== null) findings.push({ name: dueFinding, kind });
  }
  return findings;
}

function findVersion({ certificate: { head } }: Identity, { current }: VaultFacts): FindingName | null {
  if (current === null) return head === null ? null : 'vault-version-missing';
  if (current.version === head?.vaultVersion) return current.isEnabled ? null : 'vault-version-disabled';
  return current.isRecorded ? 'vault-version-other' : 'vault-version-unknown';
}

/**
 * A request tells nothing of its age. Ours begin with an attempt in the record; where there has been none for a day
 * and nothing is due that would take the request up, nobody is coming back for it.
 */
function isLeftOver(identity: Identity, now: Date): boolean {
  const quietSince = identity.certificate.lastSuccessAt ?? identity.createdAt;
  const isComing = planCredential(identity, 'certificate', now).action !== 'none';
  return !isComing && identity.certificate.failure === null && addMs(quietSince, PATIENCE_MS) < now;
}

function findDueRow(
  identity: Identity,
  kind: CredentialKind,
  rowAt: Date | null,
  now: Date,
): FindingName | null {
  if (!mustComeUp(identity, kind)) return null;
  if (rowAt === null) return 'due-row-missing';
  return rowAt > addMs(latestMoment(identity, kind, now), PATIENCE_MS) ? 'due-row-late' : null;
}

/** Whether the scan has to see to a credential some day, be it to remind, so that the due index must hold it. */
function mustComeUp(
  { delivery, revokedAt, deletedAt, certificate }: Identity,
  kind: CredentialKind,
): boolean {
  if (revokedAt !== null || deletedAt !== null) return false;
  // An agent's first certificate is for the agent to ask for.
  return kind === 'token' || delivery === 'vault' || certificate.head !== null;
}

/** What was reminded of just now may come up as late as the next reminder; all else is due when the plan says so. */
function latestMoment(identity: Identity, kind: CredentialKind, now: Date): Date {
  const planned = planCredential(identity, kind, now).dueAt;
  if (planned > now) return planned;
  return isLeftToOthers(identity, kind) ? (nextReminderAt(identity, kind, now) ?? now) : now;
}

/**
 * The record as it should be after what was found, apart from the due index: a certificate that the vault does not
 * serve is due now, and a mark that nothing stands behind is gone.
 */
export function mendIdentity(identity: Identity, findings: readonly Finding[], now: Date): Identity {
  const has = (kind: CredentialKind, ...names: FindingName[]) =>
    findings.some((finding) => finding.kind === kind && names.includes(finding.name));
  const { certificate, token } = identity;
  const isVersionWrong = has(
    'certificate',
    'vault-version-unknown',
    'vault-version-other',
    'vault-version-missing',
    'vault-version-disabled',
  );
  const head =
    certificate.head !== null && isVersionWrong && certificate.head.renewAfter > now
      ? { ...certificate.head, renewAfter: now }
      : certificate.head;
  return {
    ...identity,
    certificate: {
      ...certificate,
      head,
      queuedAt: has('certificate', 'queue-mark-stale') ? null : certificate.queuedAt,
    },
    token: { ...token, queuedAt: has('token', 'queue-mark-stale') ? null : token.queuedAt },
  };
}
