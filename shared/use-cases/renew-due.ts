import { addMs, HOUR_MS } from '../domain/instants.ts';
import { identityText } from '../domain/names.ts';
import { REMINDERS_PER_SCAN } from '../domain/reminders.ts';
import { planCredential } from '../domain/renewal-plan.ts';
import type { DueRow } from '../ports/identity-store.ts';
import type { WorkItem } from '../ports/work-queue.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { Failures } from './failures.ts';
import { inPool } from './pool.ts';
import { reminder } from './remind.ts';
import { moveDue, updateIdentity, withCredential } from './update-identity.ts';
import { periodAt, takeFromBudget } from './vault-budget.ts';
import { withLease } from './with-lease.ts';

/** When a message seems lost: its credential comes up again this long after it was enqueued. */
const MESSAGE_PATIENCE_MS = HOUR_MS;
/** Short, because a scan that was killed holds its lease to the end. */
const LEASE_SECONDS = 60;

export interface ScanOutcome {
  /** Renewals that are due. */
  readonly due: number;
  readonly queued: number;
  /** Events that remind an agent or an operator of what is due and not Everleaf's to do. */
  readonly reminded: number;
  /** Left to the next scan, because the vault takes only so many keys a minute or there is so much to remind of. */
  readonly postponed: number;
  readonly failed: number;
}

/**
 * The scan: reads what is due, plans, and puts one message per credential on the queue, those that end soonest first
 * and no more than the vault can bear until the next scan. Where an agent or an operator must act it writes an event
 * that says so. It renews nothing itself. To enqueue is to move the due row an hour ahead and then to send, so a lost
 * message comes up again and a second scan finds nothing to do.
 * @returns null when another scan holds the lease
 * @throws EverleafError the first failure, after every other row had its turn
 */
export async function renewDue(deps: Deps, run: Run): Promise<ScanOutcome | null> {
  const lease = { name: 'renew-due', seconds: LEASE_SECONDS, busy: 'Another scan is running' };
  return withLease(deps, run, lease, () => scan(deps, run));
}

async function scan(deps: Deps, run: Run): Promise<ScanOutcome> {
  const now = deps.clock.now();
  const rows = (await deps.identities.due(now, Number.POSITIVE_INFINITY)).filter(({ dueAt }) => dueAt <= now);
  const renewals = rows.filter(({ isReminder }) => !isReminder).sort(bySoonestEnd);
  const reminders = rows.filter(({ isReminder }) => isReminder).sort(bySoonestEnd);
  const sent = renewals.slice(0, periodAt(deps, now).budget);
  // Operations get what is left of it. What the answer is makes no difference here: this is what the budget is for.
  if (sent.length > 0) await takeFromBudget(deps, run, sent.length);
  const chosen = [...sent, ...reminders.slice(0, REMINDERS_PER_SCAN)];
  const failures = new Failures(run);
  const count = { queued: 0, reminded: 0, nothing: 0 };
  await inPool(chosen, (row) =>
    failures.attempt(`enqueue the ${row.kind} of ${identityText(row.identity)}`, async () => {
      count[await takeUp(deps, run, row)] += 1;
    }),
  );
  const { queued, reminded } = count;
  const outcome = {
    due: renewals.length,
    queued,
    reminded,
    postponed: rows.length - chosen.length,
    failed: failures.count,
  };
  run.log.write(
    'info',
    `Scan: ${outcome.due} due, ${queued} queued, ${reminded} reminded of, ${outcome.postponed} postponed.`,
    outcome,
  );
  failures.throwAs(`${outcome.failed} of ${outcome.due} due credentials could not be enqueued.`);
  return outcome;
}

/** A credential that is not there yet counts as ending now. */
function bySoonestEnd(a: DueRow, b: DueRow): number {
  return (a.expiresAt?.getTime() ?? 0) - (b.expiresAt?.getTime() ?? 0);
}

/** Does what the plan says of a row now, whatever the row was written for. A row that has moved is left. */
export async function takeUp(
  deps: Deps,
  run: Run,
  row: Pick<DueRow, 'identity' | 'kind' | 'key'>,
): Promise<'queued' | 'reminded' | 'nothing'> {
  let item: WorkItem | null = null;
  let isReminded = false;
  await updateIdentity(deps, row.identity, (identity) => {
    item = null;
    isReminded = false;
    const { kind } = row;
    if (identity[kind].dueKey !== row.key) return null;
    const now = deps.clock.now();
    const entry = planCredential(identity, kind, now);
    isReminded = entry.action === 'request' || entry.action === 'remind';
    if (isReminded) return reminder(deps, run, identity, kind, entry);
    const isWork = entry.action === 'renew' || entry.action === 'rotate';
    const due = moveDue(
      identity,
      kind,
      isWork ? addMs(now, MESSAGE_PATIENCE_MS) : laterOrNever(entry.dueAt, now),
    );
    if (isWork) item = { v: 1, identity: row.identity, kind, generation: entry.generation };
    return {
      identity: withCredential(due.identity, kind, { queuedAt: isWork ? now : null }),
      changes: [
        ...due.changes,
        ...(isWork
          ? [eventChange(deps, run, 'renewal-queued', identity, { reason: entry.reason, details: { kind } })]
          : []),
      ],
    };
  });
  if (item === null) return isReminded ? 'reminded' : 'nothing';
  await deps.queue.send(item);
  return 'queued';
}

/** What a scan has nothing to do for leaves the index, unless its moment is still to come. */
function laterOrNever(dueAt: Date, now: Date): Date | null {
  return dueAt > now ? dueAt : null;
}
