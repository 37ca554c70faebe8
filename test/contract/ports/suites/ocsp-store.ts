import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Table } from '../../../../shared/adapters/storage/table.ts';
import { TableOcspStore } from '../../../../shared/adapters/storage/table-ocsp-store.ts';
import { addMs, HOUR_MS } from '../../../../shared/domain/instants.ts';
import type { Responder } from '../../../../shared/domain/responder.ts';
import type { KeptAnswer } from '../../../../shared/ports/ocsp-store.ts';

const WINDOW = new Date('2026-11-21T08:00:00Z');
const NEXT = addMs(WINDOW, 12 * HOUR_MS);
const NAME = 'a1b2c3';
const VALIDITY = { issuedAt: WINDOW, notBefore: WINDOW, notAfter: NEXT };
const RESPONDER: Responder = {
  v: 1,
  authorityId: 'a1a1a1a1',
  attempt: { ...VALIDITY, serialNumber: '01', spkiHash: null, certificate: null },
  certificates: [{ ...VALIDITY, serialNumber: '02', keyId: 'https://key', certificate: Uint8Array.of(1) }],
};
const ANSWER: KeptAnswer = { v: 1, der: Uint8Array.of(0x30, 0), thisUpdate: WINDOW, nextUpdate: NEXT };

/** The promises of OcspStore (shared/ports/ocsp-store.ts), by their numbers, on tables of `makeTable`. */
export function describeOcspStore(name: string, makeTable: () => Promise<Table>): void {
  const makeStore = async () => {
    const [record, answers] = await Promise.all([makeTable(), makeTable()]);
    await Promise.all([record.prepare(), answers.prepare()]);
    return { record, answers, store: new TableOcspStore({ record, answers }) };
  };

  describe(`OcspStore: ${name}`, () => {
    test('1. a responder is inserted once, and replaced by whoever has read it last', async () => {
      const { store } = await makeStore();
      assert.equal(await store.responder('a1a1a1a1'), null);
      await store.insertResponder(RESPONDER);
      await assert.rejects(store.insertResponder(RESPONDER), { code: 'AlreadyExists' });
      const stored = await store.responder('a1a1a1a1');
      assert.deepEqual(stored?.value, RESPONDER);
      const changed = { ...RESPONDER, attempt: null };
      await store.replaceResponder(changed, stored?.etag ?? '');
      await assert.rejects(store.replaceResponder(RESPONDER, stored?.etag ?? ''), { code: 'Conflict' });
      assert.deepEqual((await store.responder('a1a1a1a1'))?.value, changed);
    });

    test('2. a responder of a newer program is left as it is', async () => {
      const { record, store } = await makeStore();
      await record.commit('fleet', [{ op: 'put', key: 'responder|b2b2b2b2', v: 2, data: '{}' }]);
      await assert.rejects(store.responder('b2b2b2b2'), { code: 'UnknownRecordVersion' });
    });

    test('3. the answer of a name in a window is the last one that was kept', async () => {
      const { answers, store } = await makeStore();
      assert.equal(await store.answer(NAME, WINDOW), null);
      await store.putAnswer(NAME, WINDOW, { ...ANSWER, der: Uint8Array.of(1) });
      await store.putAnswer(NAME, WINDOW, ANSWER);
      assert.deepEqual(await store.answer(NAME, WINDOW), ANSWER);
      assert.equal(await store.answer(NAME, NEXT), null);
      assert.equal(await store.answer('f0', WINDOW), null);
      await answers.commit('a', [{ op: 'put', key: `202611210800|${NAME}`, v: 2, data: '{"new":true}' }]);
      assert.equal(await store.answer(NAME, WINDOW), null);
      await store.putAnswer(NAME, WINDOW, ANSWER);
      assert.deepEqual(await store.answer(NAME, WINDOW), ANSWER);
    });

    test('3. the first answer makes the table, in a deployment that began before there were answers', async () => {
      const [record, answers] = await Promise.all([makeTable(), makeTable()]);
      const store = new TableOcspStore({ record, answers });
      assert.equal(await store.answer(NAME, WINDOW), null);
      assert.equal(await store.removeAnswersBefore(WINDOW), 0);
      await store.putAnswer(NAME, WINDOW, ANSWER);
      assert.deepEqual(await store.answer(NAME, WINDOW), ANSWER);
    });

    test('4. removeAnswersBefore removes the windows that began before a moment, and more than one transaction can', async () => {
      const { answers, store } = await makeStore();
      await store.putAnswer(NAME, WINDOW, ANSWER);
      await store.putAnswer('f0', WINDOW, ANSWER);
      await store.putAnswer(NAME, NEXT, ANSWER);
      const rows = Array.from({ length: 100 }, (_, i) => ({
        ...({ op: 'insert', v: 1, data: '{}' } as const),
        key: `202611210700|a${i}`,
      }));
      await answers.commit('a', rows);
      assert.equal(await store.removeAnswersBefore(NEXT), 102);
      assert.equal(await store.removeAnswersBefore(NEXT), 0);
      assert.equal(await store.answer(NAME, WINDOW), null);
      assert.deepEqual(await store.answer(NAME, NEXT), ANSWER);
    });
  });
}
