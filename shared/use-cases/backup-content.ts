import type { AuthorityState } from '../domain/authority.ts';
import {
  BACKUP_FORMAT,
  type BackupHeader,
  type BackupLine,
  type BackupVaultLine,
  encodeBackupLine,
} from '../domain/backup-file.ts';
import { toBase64Url, toHex } from '../domain/encoding.ts';
import { EverleafError } from '../domain/errors.ts';
import { toInstant } from '../domain/instants.ts';
import {
  VAULT_AUDIT_SIGNING_NAME,
  VAULT_ROTATION_KEY_NAME,
  vaultAuthorityName,
  vaultResponderName,
} from '../domain/names.ts';
import { needsResponder } from '../domain/responder.ts';
import type { VaultObjectType } from '../ports/vault-backup.ts';
import type { Deps } from './deps.ts';
import { type Walk, walkRecord } from './walk-record.ts';

/** Lines are put together to pieces of about this size, the cipher's own. */
const PIECE_CHARACTERS = 64 * 1024;

/** Authorities in these states may lack their key: the vault does not have it yet, or is told to sign with it once at most. */
const MAY_LACK_KEY: readonly AuthorityState[] = ['Creating', 'Retired'];

/**
 * Everything that a backup says, in pieces: the record's rows as they are, also those of a newer program, then the vault's
 * own copies of what the record needs there. Memory holds a page of rows, or one copy, at a time. The limits' counters are
 * left out: they are of minutes that are over before anything could be restored.
 * @param walk filled on the way
 * @throws EverleafError NotFound when the vault lacks a key that the record needs
 */
export async function* backupContent(deps: Deps, createdAt: Date, walk: Walk): AsyncGenerator<Uint8Array> {
  const hash = deps.digest.hashing();
  let vaultObjects = 0;
  const counted = async function* counted(): AsyncGenerator<readonly BackupLine[]> {
    for await (const lines of linesOf(deps, createdAt, walk)) {
      if (lines[0]?.kind === 'vault') vaultObjects += 1;
      yield lines;
    }
  };
  for await (const piece of inPieces(counted())) {
    hash.update(piece);
    yield piece;
  }
  const { rows, restless } = walk;
  const end: BackupLine = { kind: 'end', rows, vaultObjects, restless, sha256: toHex(hash.sha256()) };
  yield new TextEncoder().encode(encodeBackupLine(end));
}

async function* linesOf(deps: Deps, createdAt: Date, walk: Walk): AsyncGenerator<readonly BackupLine[]> {
  const header: BackupHeader = {
    kind: 'header',
    format: BACKUP_FORMAT,
    createdAt: toInstant(createdAt),
    version: deps.site.version,
    tables: deps.recordDump.tables,
    policy: { ...deps.policy },
    site: { ...deps.site },
  };
  yield [header];
  yield* walkRecord(deps, walk);
  // After the record: no authority that a row points at is too new to be among these.
  for (const [type, name, isNeeded] of await vaultObjectsOf(deps)) {
    const copied = await copyOf(deps, type, name);
    if (copied !== null) yield [copied];
    else if (isNeeded) throw missing(type, name);
  }
}

/**
 * What of the authority vault belongs to the record, and whether it must be there by now. An authority has its key until
 * that is out of use, also when it is retired: its last revocation list may still have to be signed. An OCSP responder that
 * is not there is made anew.
 */
async function vaultObjectsOf(deps: Deps): Promise<readonly (readonly [VaultObjectType, string, boolean])[]> {
  const all = await deps.fleet.authorities();
  const signing = all.filter(({ keyDisabledAt }) => keyDisabledAt === null);
  const answering = all.filter((authority) => needsResponder(authority, deps.clock.now()));
  const hasSealed = (await deps.audit.signingKey()) !== null;
  return [
    ['secret', VAULT_ROTATION_KEY_NAME, true],
    ...signing.map(
      ({ id, state }) => ['certificate', vaultAuthorityName(id), !MAY_LACK_KEY.includes(state)] as const,
    ),
    ...answering.map(({ id }) => ['certificate', vaultResponderName(id), false] as const),
    ['certificate', VAULT_AUDIT_SIGNING_NAME, hasSealed],
  ];
}

async function copyOf(deps: Deps, type: VaultObjectType, name: string): Promise<BackupVaultLine | null> {
  const copied = await deps.vaultBackup.backup(type, name);
  if (copied === null) return null;
  return { kind: 'vault', type, name, version: copied.version, blob: toBase64Url(copied.blob) };
}

function missing(type: VaultObjectType, name: string): EverleafError {
  return new EverleafError(
    'NotFound',
    `Cannot write a backup: the authority vault has no ${type} "${name}", and the record needs it.`,
  );
}

async function* inPieces(batches: AsyncIterable<readonly BackupLine[]>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let text = '';
  for await (const lines of batches) {
    for (const line of lines) {
      text += encodeBackupLine(line);
      if (text.length < PIECE_CHARACTERS) continue;
      yield encoder.encode(text);
      text = '';
    }
  }
  yield encoder.encode(text);
}
