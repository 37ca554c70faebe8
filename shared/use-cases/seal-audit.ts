import { SEAL_AFTER_MS } from '../domain/audit.ts';
import { type ChainHead, linkEvent, type SealedEvent } from '../domain/audit-chain.ts';
import { toHex } from '../domain/encoding.ts';
import { EverleafError, isEverleafError } from '../domain/errors.ts';
import { addMs } from '../domain/instants.ts';
import { APPEND_LIMIT, type WaitingEvent } from '../ports/audit-store.ts';
import type { Page, Stored } from '../ports/identity-store.ts';
import type { Deps, Run } from './deps.ts';
import { Failures } from './failures.ts';
import { isBeforeRestore, makeCheckpoint } from './make-checkpoint.ts';
import { inPool } from './pool.ts';
import { withLease } from './with-lease.ts';

/** Waiting events that are read, and held in memory, at once. */
const PAGE = 500;
/** A run that was killed holds its lease no longer than the next two ticks. */
const LEASE_SECONDS = 600;

export interface SealOutcome {
  readonly sealed: number;
  readonly checkpoints: number;
}

/**
 * Seals the events that have waited long enough into the chains of their clusters, in the order of their times, and puts
 * each head under a checkpoint. Every step is one transaction under the head's etag, so a run can be killed anywhere, and
 * two can run at once: no event is lost, sealed twice or moved. A checkpoint that fails leaves what is sealed as it is; the
 * next run makes it.
 * @returns null when another run holds the lease
 * @throws EverleafError the first failure, after everything else had its turn
 */
export async function sealAudit(deps: Deps, run: Run): Promise<SealOutcome | null> {
  const lease = { name: 'seal-audit', seconds: LEASE_SECONDS, busy: 'Another run seals the audit log' };
  return withLease(deps, run, lease, () => sealEverything(deps, run));
}

async function sealEverything(deps: Deps, run: Run): Promise<SealOutcome> {
  const failures = new Failures(run);
  const tried = async (what: string, action: () => Promise<number>) =>
    (await failures.attempt(what, action)) ?? 0;
  const before = addMs(deps.clock.now(), -SEAL_AFTER_MS);
  const partitions = Array.from({ length: deps.audit.partitions }, (_, partition) => partition);
  const counts = await inPool(partitions, async (partition) => {
    const sealed = await tried(`seal partition ${partition}`, () => sealPartition(deps, partition, before));
    const checkpoints = await tried(`list the chains of partition ${partition}`, async () => {
      let written = 0;
      for (const head of await deps.audit.heads(partition)) {
        const what = `put "${head.value.chain}" under a checkpoint`;
        written += await tried(what, async () => ((await makeCheckpoint(deps, run, head)) ? 1 : 0));
      }
      return written;
    });
    return { sealed, checkpoints };
  });
  const sealed = counts.reduce((sum, count) => sum + count.sealed, 0);
  const checkpoints = counts.reduce((sum, count) => sum + count.checkpoints, 0);
  run.log.write('info', `Sealed ${sealed} events of the audit log and wrote ${checkpoints} checkpoints.`, {
    sealed,
    checkpoints,
    failed: failures.count,
  });
  failures.throwAs(
    `${failures.count} parts of the audit log could not be sealed or put under a checkpoint; the log names each.`,
  );
  return { sealed, checkpoints };
}

async function sealPartition(deps: Deps, partition: number, before: Date): Promise<number> {
  let count = 0;
  let cursor: string | null = null;
  do {
    // In this order: an event that waits after the head was read is in no chain up to that head.
    const heads = new Map((await deps.audit.heads(partition)).map((head) => [head.value.chain, head]));
    const page: Page<WaitingEvent> = await deps.audit.waiting(partition, {
      before,
      limit: PAGE,
      ...(cursor === null ? {} : { cursor }),
    });
    for (const chain of new Set(page.items.map((one) => one.chain))) {
      const waiting = page.items.filter((one) => one.chain === chain);
      count += await sealChain(deps, chain, heads.get(chain) ?? null, waiting);
    }
    cursor = page.nextCursor;
  } while (cursor !== null);
  return count;
}

/**
 * @param head as it was before `waiting` was read
 * @returns how many were sealed here; when another run has taken over, the rest is left to it
 */
async function sealChain(
  deps: Deps,
  chain: string,
  head: Stored<ChainHead> | null,
  waiting: readonly WaitingEvent[],
): Promise<number> {
  if (head === null) await assertNew(deps, chain);
  let stored = head;
  for (let start = 0; start < waiting.length; start += APPEND_LIMIT) {
    const written = await append(deps, stored, waiting.slice(start, start + APPEND_LIMIT));
    if (written === null) return start;
    stored = await deps.audit.head(chain);
    // Somebody else has gone on from here, perhaps with the very events that this run still holds.
    if (stored?.value.hash !== written.hash) return Math.min(start + APPEND_LIMIT, waiting.length);
  }
  return waiting.length;
}

/** @returns the new head; null when another run has moved the old one since it was read */
async function append(
  deps: Deps,
  stored: Stored<ChainHead> | null,
  batch: readonly WaitingEvent[],
): Promise<ChainHead | null> {
  const hash = (text: string) => toHex(deps.digest.sha256(new TextEncoder().encode(text)));
  let head = stored?.value ?? null;
  const entries: SealedEvent[] = [];
  for (const one of batch) {
    const linked = linkEvent(head, one, hash);
    entries.push(linked.sealed);
    head = linked.head;
  }
  if (head === null) return null;
  try {
    await deps.audit.append({ head, etag: stored?.etag ?? null, entries });
    return head;
  } catch (error) {
    // Another run, or an answer of this one's that got lost. What still waits is found by the next run.
    if (isEverleafError(error, 'Conflict')) return null;
    throw error;
  }
}

/**
 * A chain begins once. One without a head that has checkpoints was cut off, and must not quietly begin anew; unless the
 * record was put back from a backup that is older than they are.
 */
async function assertNew(deps: Deps, chain: string): Promise<void> {
  const last = (await deps.checkpoints.list(chain)).at(-1);
  if (last === undefined) return;
  if (await isBeforeRestore(deps, (await deps.checkpoints.get(chain, last)) ?? '')) return;
  throw new EverleafError(
    'AuditChainBroken',
    `The audit chain "${chain}" has a checkpoint of its entry ${last} and no head: its rows were removed. Its events ` +
      'wait; run `npm run verify-audit` and restore the table.',
    { details: { chain, seq: last } },
  );
}
