import type { BackupLine } from '../domain/backup-file.ts';
import { toHex } from '../domain/encoding.ts';
import type { Digest } from '../ports/digest.ts';
import type { MarkedRow, RecordDump } from '../ports/record-dump.ts';

/** Rows that are read, and held in memory, at once. */
const PAGE_ROWS = 500;

/**
 * Looks at a partition before it is taken as it is. In a quiet partition the second finds nothing new; one that changes
 * with every look, for minutes, is not one that a copy of can be made.
 */
const MOST_LOOKS = 12;

/** What a walk has found so far. */
export interface Walk {
  /** Rows that the copy has when everything that was given again has taken its place. */
  rows: number;
  /** `<table>/<partition>` of those that changed with every look. */
  readonly restless: string[];
}

/** Rows between two keys, as the last look at them found them. */
interface Stretch {
  readonly after: string | null;
  /** Null: there is nothing behind. */
  readonly through: string | null;
  readonly rows: number;
  readonly hash: string;
}

interface Place {
  readonly table: string;
  readonly partition: string;
}

/**
 * All rows of the record, partition by partition, a page at a time. Pages of one partition are read one after the other,
 * and somebody may write between two of them; a transaction would be there by half. So every partition is looked at again
 * until two looks in a row find the same rows: between those two was a moment at which the partition was just so (a
 * "double collect"; Afek et al., Atomic snapshots of shared memory, J. ACM 40, 1993). What a look finds changed is given
 * again. Since a cluster lives in one partition and a transaction reaches no further, a cluster is in the copy as it was at
 * one moment.
 * @param walk filled on the way
 */
export async function* walkRecord(
  deps: { readonly recordDump: RecordDump; readonly digest: Digest },
  walk: Walk,
  pageRows = PAGE_ROWS,
): AsyncGenerator<readonly BackupLine[]> {
  for (const table of deps.recordDump.tables) {
    let partition = await deps.recordDump.partitionAfter(table, null);
    while (partition !== null) {
      yield* walkPartition(deps, { table, partition }, walk, pageRows);
      partition = await deps.recordDump.partitionAfter(table, partition);
    }
  }
}

async function* walkPartition(
  deps: { readonly recordDump: RecordDump; readonly digest: Digest },
  place: Place,
  walk: Walk,
  pageRows: number,
): AsyncGenerator<readonly BackupLine[]> {
  const { table, partition } = place;
  yield [{ kind: 'partition', table, partition }];
  const stretches: Stretch[] = [];
  let after: string | null = null;
  do {
    const rows: readonly MarkedRow[] = await deps.recordDump.rows(table, partition, after, pageRows);
    const through: string | null = rows.length < pageRows ? null : (rows.at(-1)?.key ?? null);
    stretches.push({ after, through, rows: rows.length, hash: hashOf(deps.digest, rows) });
    yield rows.map(toLine);
    after = through;
  } while (after !== null);
  let isStill = false;
  for (let look = 2; look <= MOST_LOOKS && !isStill; look++) {
    isStill = true;
    for (const [i, stretch] of stretches.entries()) {
      const rows = await readStretch(deps.recordDump, place, stretch, pageRows);
      const hash = hashOf(deps.digest, rows);
      if (hash === stretch.hash) continue;
      isStill = false;
      stretches[i] = { ...stretch, rows: rows.length, hash };
      yield [{ kind: 'again', after: stretch.after, through: stretch.through }, ...rows.map(toLine)];
    }
  }
  if (!isStill) walk.restless.push(`${table}/${partition}`);
  walk.rows += stretches.reduce((sum, { rows }) => sum + rows, 0);
}

/** Few more than a page: what was added since the look before. */
async function readStretch(
  dump: RecordDump,
  { table, partition }: Place,
  { after, through }: Stretch,
  pageRows: number,
): Promise<readonly MarkedRow[]> {
  const found: MarkedRow[] = [];
  for (let from = after; ; ) {
    const rows = await dump.rows(table, partition, from, pageRows + 1);
    const inside = rows.filter(({ key }) => through === null || key <= through);
    found.push(...inside);
    const last = inside.at(-1)?.key;
    if (inside.length <= pageRows || last === undefined) return found;
    from = last;
  }
}

function toLine({ key, v, data }: MarkedRow): BackupLine {
  return { kind: 'row', key, v, data };
}

function hashOf(digest: Digest, rows: readonly MarkedRow[]): string {
  const marks = JSON.stringify(rows.map(({ key, mark }) => [key, mark]));
  return toHex(digest.sha256(new TextEncoder().encode(marks)));
}
