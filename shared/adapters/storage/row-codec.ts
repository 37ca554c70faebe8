import { z } from 'zod';
import { EverleafError, isEverleafError } from '../../domain/errors.ts';
import type { TableRow } from './table.ts';

/** The version of every row that this program writes. */
export const ROW_VERSION = 1;

/** An instant, as JSON has it. */
export const instant = z.iso.datetime().transform((text) => new Date(text));

/** Bytes, as base64 in JSON. */
export const bytes = z.base64().transform((text) => Uint8Array.from(Buffer.from(text, 'base64')));

/** Between rows and values of one kind. */
export interface RowCodec<T> {
  encode(value: T): { v: number; data: string };
  /**
   * @throws EverleafError UnknownRecordVersion for a row of a later program, which must be left alone; StorageRefused
   *   for one that cannot be read
   */
  decode(row: TableRow): T;
}

/** A codec for rows whose `data` is JSON of the schema's shape. */
export function rowCodec<T>(kind: string, schema: z.ZodType<T>): RowCodec<T> {
  return {
    encode: (value) => ({ v: ROW_VERSION, data: JSON.stringify(value, withBytes) }),
    decode: (row) => {
      if (row.v !== ROW_VERSION) {
        throw new EverleafError(
          'UnknownRecordVersion',
          `A ${kind} row has version ${row.v} and this program knows ${ROW_VERSION}: a later program wrote it.`,
        );
      }
      const result = schema.safeParse(parseJson(row.data));
      if (result.success) return result.data;
      const [issue] = result.error.issues;
      throw new EverleafError(
        'StorageRefused',
        `A ${kind} row cannot be read: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is not JSON'}.`,
        { details: { partition: row.partition, key: row.key } },
      );
    },
  };
}

/** Lists leave out what a later program wrote: it must neither be touched nor stop the rest. */
export function decodeKnown<T>(rows: readonly TableRow[], codec: RowCodec<T>): T[] {
  return rows.flatMap((row) => {
    try {
      return [codec.decode(row)];
    } catch (error) {
      if (isEverleafError(error, 'UnknownRecordVersion')) return [];
      throw error;
    }
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A Buffer turns itself into JSON of its own before a replacer sees it, so the row itself is asked. */
function withBytes(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const raw = this[key];
  return raw instanceof Uint8Array ? Buffer.from(raw).toString('base64') : value;
}
