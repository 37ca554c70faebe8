import type { CertificateHead, Identity } from '../domain/identity.ts';
import type { Instance } from '../domain/instance.ts';
import { later, wholeSecond } from '../domain/instants.ts';
import { sumUpLines } from '../domain/lines.ts';
import { planCredential } from '../domain/renewal-plan.ts';
import type { CertificateRevocation } from '../domain/revocation.ts';
import type { Deps } from './deps.ts';
import { type IdentityUpdate, moveDue } from './update-identity.ts';

/**
 * What a revocation changes in the record of an identity whose agents keep the keys. Where the certificate that the record
 * has counts for nothing any more, the newest of those that are left takes its place, and its row in the due index, so
 * that the other agents are reminded as before. Where none is left, nobody waits for a renewal: the agent logs in again.
 * @param lines of the identity, as they are after the revocation
 * @param revocations of its certificates, the new ones included
 */
export function withHeadLeft(
  deps: Pick<Deps, 'clock'>,
  current: Identity,
  lines: readonly Instance[],
  revocations: readonly CertificateRevocation[],
): IdentityUpdate {
  const { head } = current.certificate;
  if (current.delivery !== 'agent' || head === null || current.revokedAt !== null) return unchanged(current);
  const now = wholeSecond(deps.clock.now());
  const { own, held } = sumUpLines(current, lines, revocations, now);
  const left = own.flatMap(({ head: first, successor }) => [
    first,
    ...(successor === null ? [] : [successor]),
  ]);
  if (left.some(({ serialNumber }) => serialNumber === head.serialNumber)) return unchanged(current);
  const next = held === null ? null : newestOf(held);
  const identity = { ...current, certificate: { ...current.certificate, head: next } };
  const dueAt = next === null ? null : later(planCredential(identity, 'certificate', now).dueAt, now);
  return moveDue(identity, 'certificate', dueAt);
}

function unchanged(identity: Identity): IdentityUpdate {
  return { identity, changes: [] };
}

/** A line's certificate as the record of its identity has it. */
function newestOf({ head, successor }: Instance): CertificateHead {
  if (successor === null) return head;
  const { spkiHash: _, ...newest } = successor;
  return newest;
}
