import { FLEET, FLEET_CHAIN } from '../domain/audit.ts';
import { toHex } from '../domain/encoding.ts';
import { addMs, HOUR_MS, toInstant } from '../domain/instants.ts';
import type { Hashing } from '../ports/digest.ts';
import { backupContent } from './backup-content.ts';
import { pinDeployment } from './deployment.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import type { Walk } from './walk-record.ts';
import { withLease } from './with-lease.ts';

/** No second backup within this of the one before: a day, less what a tick may come early. */
const BETWEEN_BACKUPS_MS = 20 * HOUR_MS;
/** A run that was killed leaves the work to the next tick, hours later. */
const LEASE_SECONDS = 3600;

export interface BackupOutcome {
  /** Null: none was due, or there is nobody that one could be encrypted for. */
  readonly written: WrittenBackup | null;
}

export interface WrittenBackup {
  readonly name: string;
  /** Bytes of the encrypted file. */
  readonly size: number;
  /** Of the encrypted file, hexadecimal. */
  readonly sha256: string;
  readonly rows: number;
}

/**
 * Writes one backup a day: the record as it stands, the policy, and the authority vault's own copies of the keys, in one
 * file that only the holders of BACKUP_RECIPIENTS' identities can open. Whether one is due, the record says, and not the
 * tick. It may be killed anywhere: there is no half file, and the next run writes a whole one, at worst a second one.
 * @returns null when another run holds the lease
 * @throws EverleafError as RecordDump, VaultBackup and BackupStore; NotFound when the vault lacks a key that the record needs
 */
export async function writeBackup(deps: Deps, run: Run): Promise<BackupOutcome | null> {
  const lease = { name: 'backup', seconds: LEASE_SECONDS, busy: 'Another run writes a backup' };
  return withLease(deps, run, lease, async () => ({ written: await writeDue(deps, run) }));
}

async function writeDue(deps: Deps, run: Run): Promise<WrittenBackup | null> {
  const { backupCipher } = deps;
  if (backupCipher === null) {
    run.log.write('warn', 'No backup was written: BACKUP_RECIPIENTS names nobody who could open it.');
    return null;
  }
  const createdAt = deps.clock.now();
  const last = (await deps.fleet.deployment())?.value.lastBackupAt ?? null;
  if (last !== null && createdAt < addMs(last, BETWEEN_BACKUPS_MS)) return null;
  const name = `${toInstant(createdAt).replaceAll(':', '')}-${toHex(deps.random.bytes(4))}.age`;
  const walk: Walk = { rows: 0, restless: [] };
  const file: Measured = { hash: deps.digest.hashing(), size: 0 };
  const content = backupCipher.encrypt(backupContent(deps, createdAt, walk));
  await deps.backups.write(name, measured(content, file));
  const written = { name, size: file.size, sha256: toHex(file.hash.sha256()), rows: walk.rows };
  const details = { ...written, restless: walk.restless.join(' ') };
  // The event comes first: after a kill in between there is a second one with a second file, and never a file without.
  await deps.identities.commit(FLEET_CHAIN, [eventChange(deps, run, 'backup-written', FLEET, { details })]);
  await pinDeployment(deps, () => ({ lastBackupAt: createdAt }));
  run.log.write('info', `Wrote the backup "${name}".`, details);
  return written;
}

interface Measured {
  readonly hash: Hashing;
  size: number;
}

async function* measured(content: AsyncIterable<Uint8Array>, file: Measured): AsyncGenerator<Uint8Array> {
  for await (const piece of content) {
    file.hash.update(piece);
    file.size += piece.length;
    yield piece;
  }
}
