/** Backups of worlds in memory, and other worlds that they are restored into. */
import assert from 'node:assert/strict';
import { decryptAge } from '../../shared/adapters/backup/age-cipher.ts';
import type { MemoryTable } from '../../shared/adapters/memory/memory-table.ts';
import { TableRecordDump } from '../../shared/adapters/storage/table-record-dump.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import type { OpenBackup } from '../../shared/use-cases/read-backup.ts';
import {
  type RestoreDeps,
  type RestoreOptions,
  type RestoreReport,
  restoreBackup,
} from '../../shared/use-cases/restore-backup.ts';
import { writeBackup } from '../../shared/use-cases/write-backup.ts';
import { BACKUP_KEYS, type World } from './memory-world.ts';

/** The encrypted backup that the timer writes now. */
export async function backUp(world: World, deps: Deps = world.deps): Promise<Uint8Array> {
  const outcome = await writeBackup(deps, world.run);
  const content = world.backups.content(outcome?.written?.name ?? '');
  assert.ok(content !== null, 'no backup was written');
  return content;
}

/** In pieces, as a file is read. */
export async function* pieces(bytes: Uint8Array, size = 10_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

export function opened(file: Uint8Array, identity: string = BACKUP_KEYS.identity): OpenBackup {
  return () => decryptAge(pieces(file), [identity]);
}

export async function textOf(open: OpenBackup): Promise<string> {
  let text = '';
  for await (const piece of open()) text += Buffer.from(piece).toString('utf8');
  return text;
}

export const ofText =
  (text: string): OpenBackup =>
  () =>
    pieces(Buffer.from(text));

/** What a restore in this world works with. */
export function restoreDeps({ deps, tables, copies }: World): RestoreDeps {
  const { clock, random, digest, storage, fleet, ocsp, identities, audit, checkpoints, site } = deps;
  return {
    clock,
    random,
    digest,
    storage,
    fleet,
    ocsp,
    identities,
    audit,
    checkpoints,
    record: new TableRecordDump(tables),
    vault: copies,
    authorityVaultUrl: site.authorityVaultUrl,
  };
}

export function restoreInto(
  world: World,
  open: OpenBackup,
  options: Partial<RestoreOptions> = {},
  deps: RestoreDeps = restoreDeps(world),
): Promise<RestoreReport> {
  const say = (line: string) => void world.lines.push(line);
  return restoreBackup(deps, open, {
    parts: 'all',
    resume: false,
    dryRun: false,
    run: world.run,
    say,
    ...options,
  });
}

/** Every row of the record, `<table> <partition> <key>` to version and data; the deployment's without what a restore adds. */
export async function recordOf({ tables }: World): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, table] of Object.entries({
    record: tables.record,
    serials: tables.serials,
    keys: tables.keys,
  })) {
    for (const { partition, key, v, data } of await allRows(table)) {
      const said = key === 'deployment' && v === 1 ? { ...JSON.parse(data), restoredAt: null } : data;
      found[`${name} ${partition} ${key}`] = `${v} ${typeof said === 'string' ? said : JSON.stringify(said)}`;
    }
  }
  return found;
}

async function allRows(table: MemoryTable) {
  const rows = [];
  for (let partition = await table.partitionAfter(null); partition !== null; ) {
    rows.push(...(await table.rowsAfter(partition, null, Number.POSITIVE_INFINITY)));
    partition = await table.partitionAfter(partition);
  }
  return rows;
}
