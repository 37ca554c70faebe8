import { z } from 'zod';
import { EverleafError, isEverleafError } from '../../domain/errors.ts';
import { toMinute } from '../../domain/instants.ts';
import type { Responder } from '../../domain/responder.ts';
import type { Stored } from '../../ports/identity-store.ts';
import type { KeptAnswer, OcspStore } from '../../ports/ocsp-store.ts';
import { bytes, decodeKnown, instant, rowCodec } from './row-codec.ts';
import type { Table } from './table.ts';

const v = z.literal(1);
const validity = { issuedAt: instant, notBefore: instant, notAfter: instant };

const responder: z.ZodType<Responder> = z.object({
  v,
  authorityId: z.string(),
  attempt: z
    .object({
      ...validity,
      serialNumber: z.string(),
      spkiHash: z.string().nullable(),
      certificate: bytes.nullable(),
    })
    .nullable(),
  certificates: z.array(
    z.object({ ...validity, serialNumber: z.string(), keyId: z.string(), certificate: bytes }),
  ),
});

const answer: z.ZodType<KeptAnswer> = z.object({ v, der: bytes, thisUpdate: instant, nextUpdate: instant });

const codecs = { responder: rowCodec('responder', responder), answer: rowCodec('OCSP answer', answer) };

/** Beside the authorities' rows, which are read together with them. */
const RESPONDERS = 'fleet';
/** Partitions of answers by a name's first digit: enough that no single one bounds the app, few enough to clear each. */
const PARTITIONS = '0123456789abcdef'.split('');
/** Rows of one transaction, the most that Table storage takes. */
const BATCH = 100;

/**
 * Responders as rows of the record; answers as rows `<yyyyMMddHHmm>|<name>` of a table of their own, which nobody needs to
 * back up: those of old windows come first in each partition, and are removed as a range.
 */
export class TableOcspStore implements OcspStore {
  readonly #record: Table;
  readonly #answers: Table;

  constructor(tables: { readonly record: Table; readonly answers: Table }) {
    this.#record = tables.record;
    this.#answers = tables.answers;
  }

  async responder(authorityId: string): Promise<Stored<Responder> | null> {
    const row = await this.#record.get(RESPONDERS, responderKey(authorityId));
    return row === null ? null : { value: codecs.responder.decode(row), etag: row.etag };
  }

  async insertResponder(value: Responder): Promise<void> {
    const key = responderKey(value.authorityId);
    try {
      await this.#record.commit(RESPONDERS, [{ op: 'insert', key, ...codecs.responder.encode(value) }]);
    } catch (error) {
      if (!isEverleafError(error, 'Conflict')) throw error;
      throw new EverleafError('AlreadyExists', `There is a row "${key}" already.`, { cause: error });
    }
  }

  async replaceResponder(value: Responder, etag: string): Promise<void> {
    const row = { key: responderKey(value.authorityId), ...codecs.responder.encode(value) };
    await this.#record.commit(RESPONDERS, [{ op: 'replace', ...row, etag }]);
  }

  async answer(name: string, windowStart: Date): Promise<KeptAnswer | null> {
    const row = await this.#answers.get(partitionOf(name), answerKey(name, windowStart));
    return row === null ? null : (decodeKnown([row], codecs.answer)[0] ?? null);
  }

  async putAnswer(name: string, windowStart: Date, value: KeptAnswer): Promise<void> {
    const row = { op: 'put', key: answerKey(name, windowStart), ...codecs.answer.encode(value) } as const;
    try {
      await this.#answers.commit(partitionOf(name), [row]);
    } catch (error) {
      if (!isEverleafError(error, 'StorageRefused')) throw error;
      // A deployment that began before there were answers has no table for them yet.
      await this.#answers.prepare();
      await this.#answers.commit(partitionOf(name), [row]);
    }
  }

  async removeAnswersBefore(windowStart: Date): Promise<number> {
    let removed = 0;
    for (const partition of PARTITIONS) {
      for (;;) {
        const rows = await this.#answers.range(partition, '0', toMinute(windowStart), BATCH);
        await this.#answers.commit(
          partition,
          rows.map(({ key }) => ({ op: 'remove', key })),
        );
        removed += rows.length;
        if (rows.length < BATCH) break;
      }
    }
    return removed;
  }
}

function responderKey(authorityId: string): string {
  return `responder|${authorityId}`;
}

function partitionOf(name: string): string {
  return name.slice(0, 1);
}

function answerKey(name: string, windowStart: Date): string {
  return `${toMinute(windowStart)}|${name}`;
}
