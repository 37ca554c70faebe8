import { FLEET, FLEET_CHAIN } from '../domain/audit.ts';
import type { BackupLine } from '../domain/backup-file.ts';
import { EverleafError } from '../domain/errors.ts';
import type { AuditStore } from '../ports/audit-store.ts';
import type { CheckpointStore } from '../ports/checkpoint-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { Digest } from '../ports/digest.ts';
import type { FleetStore } from '../ports/fleet-store.ts';
import type { IdentityStore } from '../ports/identity-store.ts';
import type { OcspStore } from '../ports/ocsp-store.ts';
import type { Random } from '../ports/random.ts';
import type { DumpedRow, RecordDump, RecordLoad } from '../ports/record-dump.ts';
import type { StorageSetup } from '../ports/storage-setup.ts';
import type { VaultRestore } from '../ports/vault-backup.ts';
import type { Run } from './deps.ts';
import { eventChange } from './events.ts';
import { type LostEvents, lostEvents } from './lost-events.ts';
import { moveKeyIds } from './move-key-ids.ts';
import { type BackupSummary, checkBackup, type OpenBackup, readBackup } from './read-backup.ts';
import { planVault, restoreVault, type VaultPlan } from './restore-vault.ts';

/** Rows that are held in memory, and written, at once. */
const PAGE = 500;

/** What a restore needs of the world: with other rights than the app has. */
export interface RestoreDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly digest: Digest;
  readonly storage: readonly StorageSetup[];
  readonly record: RecordLoad & RecordDump;
  readonly fleet: FleetStore;
  readonly ocsp: OcspStore;
  readonly identities: IdentityStore;
  readonly audit: AuditStore;
  readonly checkpoints: CheckpointStore;
  readonly vault: VaultRestore;
  readonly authorityVaultUrl: string;
}

export interface RestoreOptions {
  /** `vault`: what the vault lacks and nothing else; `record`: the tables and nothing else. */
  readonly parts: 'all' | 'vault' | 'record';
  /** Whether a restore of this very backup that was cut short is to be gone on with. */
  readonly resume: boolean;
  readonly dryRun: boolean;
  readonly run: Run;
  /** Gets a line for each thing that was found or done. */
  readonly say: (line: string) => void;
}

export interface RestoreReport {
  readonly backup: BackupSummary;
  readonly vault: readonly VaultPlan[];
  /** Rows that the record has now; null when nothing was put into it. */
  readonly rows: number | null;
  /** Chains whose checkpoints know of entries that are not in the backup's. */
  readonly lost: readonly LostEvents[];
}

/**
 * Puts a backup back: first the whole file is checked and the place looked at, then the vault gets what it lacks, then the
 * record, which belongs to nobody until its last row is there. It may be killed anywhere: the same call with `resume` does
 * everything again that may be half done, and comes to the same.
 * @param open the decrypted backup, from its beginning each time
 * @throws EverleafError InvalidInput for a file that is no whole backup, Conflict for a record that is not empty or a vault
 *   that has other things under the same names; nothing was written then. As RecordLoad and VaultRestore otherwise
 */
export async function restoreBackup(
  deps: RestoreDeps,
  open: OpenBackup,
  { parts, resume, dryRun, run, say }: RestoreOptions,
): Promise<RestoreReport> {
  const backup = await checkBackup(deps.digest, open);
  const { header, end } = backup;
  say(
    `The backup is whole: of ${header.createdAt}, by version ${header.version}, ${end.rows} rows, ` +
      `${end.vaultObjects} objects of the vault.`,
  );
  const unknown = header.tables.filter((table) => !deps.record.tables.includes(table));
  if (unknown.length > 0) {
    throw new EverleafError(
      'InvalidInput',
      `The backup has tables that this program does not know (${unknown.join(', ')}): restore it with version ${header.version}.`,
    );
  }
  if (parts !== 'vault') await assertFree(deps, end.sha256, resume);
  const vault = parts === 'record' ? [] : await planVault(deps.vault, backup.vault);
  for (const { line, isThere } of vault) {
    const verb = isThere ? 'is there already' : dryRun ? 'would be restored' : 'is to be restored';
    say(`The ${line.type} "${line.name}" of the vault ${verb}.`);
  }
  if (dryRun) return { backup, vault, rows: null, lost: [] };
  for (const { line } of vault.filter(({ isThere }) => !isThere)) {
    say(`The ${line.type} "${line.name}" of the vault was ${await restoreVault(deps.vault, line)}.`);
  }
  if (parts === 'vault') return { backup, vault, rows: null, lost: [] };
  return { backup, vault, ...(await restoreRecord(deps, open, backup, run, say)) };
}

async function assertFree({ record }: RestoreDeps, id: string, resume: boolean): Promise<void> {
  const state = await record.state();
  if (state.state === 'empty') return;
  if (state.state === 'used') {
    throw new EverleafError(
      'Conflict',
      `The record is not empty: the table "${state.table}" has rows in "${state.partition}". A backup is put into an empty ` +
        'record alone; set up another storage account, or remove the tables if nobody needs them.',
    );
  }
  if (state.id !== id) {
    throw new EverleafError(
      'Conflict',
      'The restore of another backup was cut short in this record. Go on with that one, or remove the tables.',
    );
  }
  if (resume) return;
  throw new EverleafError('Conflict', 'A restore of this backup was cut short: go on with it by --resume.');
}

async function restoreRecord(
  deps: RestoreDeps,
  open: OpenBackup,
  { header, end }: BackupSummary,
  run: Run,
  say: (line: string) => void,
): Promise<Pick<RestoreReport, 'rows' | 'lost'>> {
  const { record } = deps;
  for (const part of deps.storage) await part.prepare();
  await record.begin(end.sha256);
  const put = new Putting(record);
  for await (const line of readBackup(deps.digest, open())) await put.take(line);
  await put.flush();
  const rows = await countRows(record);
  say(`${rows} rows are in the record.`);
  const moved = await moveKeyIds(deps);
  if (moved > 0) say(`${moved} keys are called after the vault ${deps.authorityVaultUrl} now.`);
  // Before the record is anybody's: afterwards the chains go on.
  const lost = await lostEvents(deps);
  const details = { createdAt: header.createdAt, sha256: end.sha256, rows: end.rows };
  await deps.identities.commit(FLEET_CHAIN, [eventChange(deps, run, 'backup-restored', FLEET, { details })]);
  await record.finish(deps.clock.now());
  return { rows, lost };
}

/** Puts lines into the record in the order in which they stand, so that what is given again comes last. */
class Putting {
  readonly #record: RecordLoad;
  #place: { readonly table: string; readonly partition: string } | null = null;
  #rows: DumpedRow[] = [];

  constructor(record: RecordLoad) {
    this.#record = record;
  }

  async take(line: BackupLine): Promise<void> {
    if (line.kind === 'row') {
      this.#rows.push({ key: line.key, v: line.v, data: line.data });
      if (this.#rows.length >= PAGE) await this.flush();
      return;
    }
    await this.flush();
    if (line.kind === 'partition') this.#place = { table: line.table, partition: line.partition };
    if (line.kind === 'again' && this.#place !== null) {
      const { table, partition } = this.#place;
      await this.#record.clear(table, partition, line.after, line.through);
    }
  }

  async flush(): Promise<void> {
    const rows = this.#rows;
    this.#rows = [];
    if (this.#place === null || rows.length === 0) return;
    await this.#record.put(this.#place.table, this.#place.partition, rows);
  }
}

async function countRows(record: RecordDump): Promise<number> {
  let count = 0;
  for (const table of record.tables) {
    let partition = await record.partitionAfter(table, null);
    while (partition !== null) {
      let rows = await record.rows(table, partition, null, PAGE);
      count += rows.length;
      for (let last = rows.at(-1)?.key; rows.length === PAGE && last !== undefined; last = rows.at(-1)?.key) {
        rows = await record.rows(table, partition, last, PAGE);
        count += rows.length;
      }
      partition = await record.partitionAfter(table, partition);
    }
  }
  return count;
}
