import { z } from 'zod';
import { EverleafError } from '../../domain/errors.ts';
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function withBytes(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
}
