import { EverleafError } from './errors.ts';

/**
 * What a backup says before it is encrypted: a text of lines, each of them JSON. In this order: one header; for each
 * table its partitions, each with its rows in key order; the vault's objects; the end. `again` says that the rows behind
 * `after`, up to and with `through`, of the partition it stands in are those that follow, and no others: they changed
 * while they were read.
 */
export type BackupLine =
  | BackupHeader
  | { readonly kind: 'partition'; readonly table: string; readonly partition: string }
  | { readonly kind: 'again'; readonly after: string | null; readonly through: string | null }
  | { readonly kind: 'row'; readonly key: string; readonly v: number; readonly data: string }
  | BackupVaultLine
  | BackupEnd;

export const BACKUP_FORMAT = 1;

export interface BackupHeader {
  readonly kind: 'header';
  readonly format: typeof BACKUP_FORMAT;
  /** UTC, whole seconds: everything that was acknowledged before is in the backup. */
  readonly createdAt: string;
  /** Of the program that wrote it. */
  readonly version: string;
  readonly tables: readonly string[];
  /** The settings that its rows were written under, for whoever sets up the place where they are restored. */
  readonly policy: Readonly<Record<string, unknown>>;
  readonly site: Readonly<Record<string, unknown>>;
}

/** A copy of an object of the authority vault, which the vault alone can open. */
export interface BackupVaultLine {
  readonly kind: 'vault';
  readonly type: 'certificate' | 'secret';
  readonly name: string;
  /** The newest version in the copy. */
  readonly version: string;
  /** base64url. */
  readonly blob: string;
}

export interface BackupEnd {
  readonly kind: 'end';
  /** Rows that the record has when everything is put in. */
  readonly rows: number;
  readonly vaultObjects: number;
  /** `<table>/<partition>` of those that were never still: what their rows say is of several moments. */
  readonly restless: readonly string[];
  /** Of everything before this line, hexadecimal. */
  readonly sha256: string;
}

export function encodeBackupLine(line: BackupLine): string {
  return `${JSON.stringify(line)}\n`;
}

/** @throws EverleafError InvalidInput for a text that is no line of a backup that this program knows */
export function decodeBackupLine(text: string): BackupLine {
  const line = parseObject(text);
  if (line['kind'] === 'header' && line['format'] !== BACKUP_FORMAT) {
    throw refusedBackup(`it is of format ${String(line['format'])}, and this program knows ${BACKUP_FORMAT}`);
  }
  if (SHAPES.some((shape) => Object.entries(shape).every(([name, isRight]) => isRight(line[name])))) {
    return line as unknown as BackupLine;
  }
  throw refusedBackup('it has a line that is none of a backup');
}

type Check = (value: unknown) => boolean;
const is =
  (expected: string): Check =>
  (value) =>
    value === expected;
const isText: Check = (value) => typeof value === 'string';
const isTextOrNull: Check = (value) => value === null || isText(value);
const isCount: Check = (value) => Number.isInteger(value) && Number(value) >= 0;
const isList: Check = (value) => Array.isArray(value) && value.every(isText);
const isObject: Check = (value) => typeof value === 'object' && value !== null;

const SHAPES: readonly Readonly<Record<string, Check>>[] = [
  { kind: is('row'), key: isText, v: isCount, data: isText },
  { kind: is('partition'), table: isText, partition: isText },
  { kind: is('again'), after: isTextOrNull, through: isTextOrNull },
  {
    kind: is('vault'),
    type: (value) => value === 'certificate' || value === 'secret',
    name: isText,
    version: isText,
    blob: isText,
  },
  {
    kind: is('header'),
    createdAt: isText,
    version: isText,
    tables: isList,
    policy: isObject,
    site: isObject,
  },
  { kind: is('end'), rows: isCount, vaultObjects: isCount, restless: isList, sha256: isText },
];

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value as Readonly<Record<string, unknown>>;
  } catch {
    // Said below: what the text was is nobody's business, and may be secret.
  }
  throw refusedBackup('it has a line that is no JSON object');
}

/** @param why ends the sentence */
export function refusedBackup(why: string, cause?: unknown): EverleafError {
  return new EverleafError('InvalidInput', `This is no backup that can be restored: ${why}.`, { cause });
}
