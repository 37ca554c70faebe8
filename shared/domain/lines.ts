import type { CertificateHead, Identity } from './identity.ts';
import type { Instance } from './instance.ts';
import { wholeSecond } from './instants.ts';
import { type CertificateRevocation, isCertificateRevoked } from './revocation.ts';

/** What the lines of an identity's agents say of it, all together. */
export interface Lines {
  /** Its lines that count for anything, without those of their certificates that are revoked. */
  readonly own: readonly Instance[];
  /** Lines whose certificate can be used now, and lines that wait for an operator. */
  readonly count: { readonly live: number; readonly locked: number };
  /** The line whose certificate is shown: of those that live the one that ends last, else the one that ended last. */
  readonly shown: Instance | null;
  /**
   * The line that the state is judged by: the one that was given a certificate last. Where that one has ended and
   * another lives, it is that other one.
   */
  readonly held: Instance | null;
  /** The line that was locked last of those that are; null while none is. */
  readonly locked: Instance | null;
}

/**
 * Sums up the lines of an identity. Those that were revoked, or belong to an earlier incarnation, are dead, and so is one
 * whose certificates are revoked. One that is locked waits for an operator whatever became of its certificates.
 * @param revocations the identity's certificates that are revoked by their serial numbers
 */
export function sumUpLines(
  identity: Pick<Identity, 'incarnation' | 'certificate'>,
  instances: readonly Instance[],
  revocations: readonly CertificateRevocation[],
  now: Date,
): Lines {
  const own = instances
    .filter(({ incarnation, revokedAt }) => incarnation === identity.incarnation && revokedAt === null)
    .flatMap((line) => withoutRevoked(line, revocations) ?? (line.lockedAt === null ? [] : line));
  const locked = own.filter(({ lockedAt }) => lockedAt !== null);
  const unlocked = own.filter(({ lockedAt }) => lockedAt === null);
  const live = unlocked.filter((line) => latestOf(line).notAfter >= wholeSecond(now));
  const recorded = identity.certificate.head?.serialNumber ?? null;
  const newest =
    own.find(
      ({ head, successor }) =>
        head.serialNumber === recorded || (successor !== null && successor.serialNumber === recorded),
    ) ?? last(own, (line) => latestOf(line).issuedAt);
  return {
    own,
    count: { live: live.length, locked: locked.length },
    shown: last(live.length > 0 ? live : own, ({ head }) => head.notAfter),
    held: isDecisive(newest, live) ? newest : (last(live, (line) => latestOf(line).issuedAt) ?? newest),
    locked: last(locked, ({ lockedAt }) => lockedAt ?? now),
  };
}

/** Where the newest line is locked nothing is to be said of the others before an operator has looked at it. */
function isDecisive(newest: Instance | null, live: readonly Instance[]): boolean {
  return newest === null || newest.lockedAt !== null || live.includes(newest);
}

/** The line as far as its certificates count for anything; null when none of them does. */
function withoutRevoked(line: Instance, revocations: readonly CertificateRevocation[]): Instance | null {
  const isRevoked = (head: CertificateHead, spkiHash: string) =>
    isCertificateRevoked(revocations, { serialNumber: head.serialNumber, spkiHash });
  const { successor } = line;
  const next = successor === null || isRevoked(successor, successor.spkiHash) ? null : successor;
  if (!isRevoked(line.head, line.spkiHash)) return { ...line, successor: next };
  if (next === null) return null;
  // Its first proof makes it the head, whatever became of the one before.
  const { spkiHash, ...head } = next;
  return { ...line, head, spkiHash, provenAt: null, successor: null };
}

/** The certificate that a line was given last, be it proven or not. */
export function latestOf({ head, successor }: Pick<Instance, 'head' | 'successor'>): CertificateHead {
  return successor ?? head;
}

function last(lines: readonly Instance[], by: (line: Instance) => Date): Instance | null {
  return lines.reduce<Instance | null>(
    (found, line) => (found === null || by(line) >= by(found) ? line : found),
    null,
  );
}
