import { FLEET, FLEET_CHAIN } from '../domain/audit.ts';
import { type Authority, isActive } from '../domain/authority.ts';
import { isSameBytes } from '../domain/encoding.ts';
import { isEverleafError } from '../domain/errors.ts';
import { identityText, vaultAuthorityName } from '../domain/names.ts';
import { FINDINGS, type FindingName } from '../domain/reconciliation.ts';
import type { DueRow } from '../ports/identity-store.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { Failures } from './failures.ts';
import { removeOldFailures } from './login-limit.ts';
import { pagesOf, type ReadPage } from './pages.ts';
import { inPool } from './pool.ts';
import { readDeletedClusters, reconcileEnd } from './reconcile-end.ts';
import { reconcileIdentity } from './reconcile-identity.ts';
import { reconcileListing } from './reconcile-listing.ts';
import { updateIdentity } from './update-identity.ts';
import { withLease } from './with-lease.ts';

/** A run that was killed holds its lease to the end; the next one is a day away. */
const LEASE_SECONDS = 3_600;

export interface ReconcileOutcome {
  readonly identities: number;
  readonly dueRows: number;
  /** Findings by name; names without any are left out. */
  readonly found: Readonly<Partial<Record<FindingName, number>>>;
  /** Identities, rows and authorities that could not be looked at. */
  readonly failed: number;
}

/**
 * Walks the whole record, page by page, beside the vaults' current versions and the due index, and mends what no
 * resumed step can see: see FINDINGS. Each finding leaves an event. An authority that differs is reported and left as
 * it is: whether its key or its record is right, only a person can tell.
 * @returns null when another run holds the lease
 * @throws EverleafError the first failure, after everything else had its turn
 */
export async function reconcile(deps: Deps, run: Run): Promise<ReconcileOutcome | null> {
  const lease = { name: 'reconcile', seconds: LEASE_SECONDS, busy: 'Another reconcile is running' };
  return withLease(deps, run, lease, () => walk(deps, run));
}

async function walk(deps: Deps, run: Run): Promise<ReconcileOutcome> {
  const found: Partial<Record<FindingName, number>> = {};
  const failures = new Failures(run);
  const look = async (what: string, action: () => Promise<readonly FindingName[]>) => {
    try {
      for (const name of await action()) found[name] = (found[name] ?? 0) + 1;
    } catch (error) {
      // A row of a newer program is that program's to look after.
      if (isEverleafError(error, 'UnknownRecordVersion')) return;
      failures.note(`reconcile ${what}`, error);
    }
  };
  await inPool((await deps.fleet.authorities()).filter(isActive), (authority) =>
    look(`authority ${authority.id}`, () => reconcileAuthority(deps, run, authority)),
  );
  const deletedClusters = await readDeletedClusters(deps);
  const rules = await deps.revocationRules.all();
  const identities = await forEachPage(
    (page) => deps.identities.identities(page),
    (identity) =>
      look(identityText(identity), async () => {
        const unlisted = await reconcileListing(deps, run, identity, rules);
        const ended = await reconcileEnd(deps, run, identity, deletedClusters);
        if (ended !== null) return [...unlisted, ...ended];
        const mended = await reconcileIdentity(deps, run, identity);
        return [...unlisted, ...mended.map(({ name }) => name)];
      }),
  );
  const dueRows = await forEachPage(
    (page) => deps.identities.dueRows(page),
    (row) => look(`due row ${row.key}`, () => reconcileDueRow(deps, run, row)),
  );
  await look('the counts of refused logins', async () => {
    await removeOldFailures(deps);
    return [];
  });
  const outcome = { identities, dueRows, found, failed: failures.count };
  run.log.write(
    'info',
    `Reconcile: looked at ${identities} identities and ${dueRows} due rows; ${describe(found)}.`,
    { identities, dueRows, failed: outcome.failed, ...found },
  );
  failures.throwAs(
    `${failures.count} things could not be reconciled; the log names each. The next run looks again.`,
  );
  return outcome;
}

function describe(found: ReconcileOutcome['found']): string {
  const texts = FINDINGS.flatMap((name) => (found[name] === undefined ? [] : [`${found[name]} ${name}`]));
  return texts.length === 0 ? 'found nothing' : `found ${texts.join(', ')}`;
}

/** Does `work` for everything that can be listed, with one page in memory at a time. @returns how many there were */
async function forEachPage<T>(read: ReadPage<T>, work: (item: T) => Promise<void>): Promise<number> {
  let count = 0;
  for await (const items of pagesOf(read)) {
    count += items.length;
    await inPool(items, work);
  }
  return count;
}

/** Removes a due row that its credential does not point to, in the same transaction in which that is certain. */
async function reconcileDueRow(deps: Deps, run: Run, row: DueRow): Promise<readonly FindingName[]> {
  const { identity: id, key, kind } = row;
  const changes = [
    { op: 'remove', kind: 'due', identity: id, key } as const,
    eventChange(deps, run, 'reconciled', id, { reason: 'due-row-stray', details: { kind, key } }),
  ];
  const stored = await deps.identities.identity(id);
  let isStray = stored === null;
  if (stored === null) await deps.identities.commit(id.cluster, changes);
  else if (stored.value[kind].dueKey !== key) {
    await updateIdentity(deps, id, async (identity) => {
      // A credential that has moved on since the page was read has taken its row along.
      isStray = identity[kind].dueKey !== key && (await deps.identities.dueRow(id.cluster, key)) !== null;
      return isStray ? { identity, changes } : null;
    });
  }
  if (!isStray) return [];
  run.log.write('warn', `Reconcile: removed the stray due row ${key} of ${identityText(id)}.`);
  return ['due-row-stray'];
}

/** Compares an authority that signs with its vault's current version. What differs leaves an event each time it is seen. */
export async function reconcileAuthority(
  deps: Deps,
  run: Run,
  authority: Authority,
): Promise<readonly FindingName[]> {
  const { id, certificate, vaultVersion } = authority;
  const current = await deps.authorityVault.current(vaultAuthorityName(id));
  const isSame =
    current !== null &&
    certificate !== null &&
    current.version === vaultVersion &&
    isSameBytes(current.der, certificate);
  if (isSame) return [];
  run.log.write(
    'error',
    `Reconcile: the vault's current version of authority ${id} is ${current?.version ?? 'missing'}, and the record ` +
      `has ${vaultVersion}. Nothing was changed: find out who did that before anything is renewed.`,
  );
  await deps.identities.commit(FLEET_CHAIN, [
    eventChange(deps, run, 'reconciled', FLEET, {
      outcome: 'failed',
      reason: 'authority-differs',
      authorityId: id,
      details: { recorded: vaultVersion, current: current?.version ?? null },
    }),
  ]);
  return ['authority-differs'];
}
