import {
  type BackupEnd,
  type BackupHeader,
  type BackupLine,
  type BackupVaultLine,
  decodeBackupLine,
  refusedBackup,
} from '../domain/backup-file.ts';
import { toHex } from '../domain/encoding.ts';
import type { Digest } from '../ports/digest.ts';

/** Longer than any line: a row has 32 Ki characters, and a vault's copy of 500 versions some megabytes. */
const MOST_LINE_BYTES = 64 * 1024 * 1024;
const NEWLINE = 10;

/** A backup's text from its beginning, as often as it is asked for. */
export type OpenBackup = () => AsyncIterable<Uint8Array>;

/** What a whole backup has. */
export interface BackupSummary {
  readonly header: BackupHeader;
  readonly vault: readonly BackupVaultLine[];
  readonly end: BackupEnd;
}

/**
 * Reads a backup from end to end and checks that it is one: its lines in their order, nothing missing, nothing behind its
 * end, and the hash that it says of itself. Memory holds the vault's copies, and a piece of the rest.
 * @throws EverleafError InvalidInput for anything else, and what `open` throws
 */
export async function checkBackup(digest: Digest, open: OpenBackup): Promise<BackupSummary> {
  let header: BackupHeader | null = null;
  let end: BackupEnd | null = null;
  const vault: BackupVaultLine[] = [];
  let before: BackupLine['kind'] | null = null;
  for await (const line of readBackup(digest, open())) {
    assertFollows(before, line.kind);
    before = line.kind;
    if (line.kind === 'header') header = line;
    if (line.kind === 'vault') vault.push(line);
    if (line.kind === 'end') end = line;
    if (line.kind === 'partition' && header?.tables.includes(line.table) !== true) {
      throw refusedBackup(`it has rows of a table "${line.table}" that it does not name`);
    }
  }
  if (header === null || end === null) throw refusedBackup('it has no end: it was cut short');
  if (end.vaultObjects !== vault.length) {
    throw refusedBackup(
      `it has ${vault.length} objects of the vault, and says that it has ${end.vaultObjects}`,
    );
  }
  return { header, vault, end };
}

/** What may stand behind what. */
const FOLLOWS: Readonly<Record<BackupLine['kind'], readonly BackupLine['kind'][]>> = {
  header: ['partition', 'vault', 'end'],
  partition: ['row', 'again', 'partition', 'vault', 'end'],
  row: ['row', 'again', 'partition', 'vault', 'end'],
  again: ['row', 'again', 'partition', 'vault', 'end'],
  vault: ['vault', 'end'],
  end: [],
};

function assertFollows(before: BackupLine['kind'] | null, kind: BackupLine['kind']): void {
  const allowed = before === null ? ['header'] : FOLLOWS[before];
  if (allowed.includes(kind)) return;
  throw refusedBackup(
    before === null ? `it begins with "${kind}" and with no header` : `"${kind}" stands behind "${before}"`,
  );
}

/**
 * The lines of a backup; the last one is given when it says the hash of all the others.
 * @throws EverleafError InvalidInput
 */
export async function* readBackup(
  digest: Digest,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<BackupLine> {
  const hash = digest.hashing();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let isEnded = false;
  for await (const bytes of splitLines(content)) {
    if (isEnded) throw refusedBackup('it goes on behind its end');
    const line = decodeBackupLine(decode(decoder, bytes));
    if (line.kind === 'end') {
      isEnded = true;
      if (line.sha256 !== toHex(hash.sha256())) throw refusedBackup('it is not what its own hash says');
    } else {
      hash.update(bytes);
    }
    yield line;
  }
}

/** Each with the newline that ends it. */
async function* splitLines(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array[] = [];
  let length = 0;
  for await (const piece of content) {
    let start = 0;
    for (let at = piece.indexOf(NEWLINE); at !== -1; at = piece.indexOf(NEWLINE, start)) {
      yield joined([...rest, piece.subarray(start, at + 1)]);
      rest = [];
      length = 0;
      start = at + 1;
    }
    rest.push(piece.subarray(start));
    length += piece.length - start;
    if (length > MOST_LINE_BYTES) throw refusedBackup('it has a line without an end');
  }
  if (length > 0) throw refusedBackup('its last line has no end: it was cut short');
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first, ...more] = parts;
  if (first !== undefined && more.length === 0) return first;
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function decode(decoder: { decode(bytes: Uint8Array): string }, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    throw refusedBackup('it has a line that is no text', error);
  }
}
