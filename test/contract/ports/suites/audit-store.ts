import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import type { Table } from '../../../../shared/adapters/storage/table.ts';
import { TableAuditStore } from '../../../../shared/adapters/storage/table-audit-store.ts';
import { TableIdentityStore } from '../../../../shared/adapters/storage/table-identity-store.ts';
import { type ChainHead, linkEvent, type SealedEvent } from '../../../../shared/domain/audit-chain.ts';
import { shardOf } from '../../../../shared/domain/sharding.ts';
import {
  APPEND_LIMIT,
  type AuditSigningKey,
  type WaitingEvent,
} from '../../../../shared/ports/audit-store.ts';
import { auditEvent, eventOf } from '../../../support/audit-events.ts';

const SHARDS = 4;
const at = (second: number) => new Date(Date.parse('2026-11-21T08:00:00Z') + second * 1000);
const LATER = at(1_000_000);
const partition = (chain: string) => shardOf(chain, SHARDS);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const idsOf = (events: readonly WaitingEvent[]) => events.map(({ event }) => event.id);

function linkAll(head: ChainHead | null, events: readonly WaitingEvent[]) {
  const entries: SealedEvent[] = [];
  let last = head;
  for (const event of events) {
    const linked = linkEvent(last, event, sha256);
    entries.push(linked.sealed);
    last = linked.head;
  }
  assert.ok(last !== null);
  return { head: last, entries };
}

/** The promises of AuditStore (shared/ports/audit-store.ts), by their numbers, on a table of `makeTable`. */
export function describeAuditStore(name: string, makeTable: () => Promise<Table>): void {
  const makeStore = async () => {
    const record = await makeTable();
    await record.prepare();
    const store = new TableAuditStore(record, SHARDS);
    const identities = new TableIdentityStore({ record, serials: record, keys: record }, SHARDS);
    const write = async (chain: string, ...seconds: number[]) => {
      const events = seconds.map((second) => auditEvent(chain, at(second)));
      await identities.commit(
        chain,
        events.map((event) => eventOf(chain, event)),
      );
      return events.map(({ id }) => id);
    };
    const sealAll = async (chain: string, limit = APPEND_LIMIT) => {
      const stored = await store.head(chain);
      const { items } = await store.chainWaiting(chain, null, limit);
      await store.append({ ...linkAll(stored?.value ?? null, items), etag: stored?.etag ?? null });
    };
    return { store, record, write, sealAll };
  };

  describe(`AuditStore: ${name}`, () => {
    test('1. events wait in the order of their times, page by page, up to a moment', async () => {
      const { store, write } = await makeStore();
      const [third, first, second, tooYoung] = await write('alpha', 30, 10, 20, 40);
      const options = { before: at(40), limit: 2 };
      const page = await store.waiting(partition('alpha'), options);
      assert.deepEqual(idsOf(page.items), [first, second]);
      assert.deepEqual(page.items[0]?.chain, 'alpha');
      assert.ok(page.nextCursor !== null);
      const rest = await store.waiting(partition('alpha'), { ...options, cursor: page.nextCursor });
      assert.deepEqual(idsOf(rest.items), [third]);
      assert.equal(rest.nextCursor, null);
      const behind = await store.chainWaiting('alpha', page.nextCursor, 10);
      assert.deepEqual(idsOf(behind.items), [third, tooYoung]);
      assert.deepEqual((await store.chainWaiting('beta', null, 10)).items, []);
    });

    test('2. append seals events, takes them from those that wait and moves the head in one', async () => {
      const { store, write, sealAll } = await makeStore();
      const ids = await write('alpha', ...Array.from({ length: APPEND_LIMIT }, (_, i) => i));
      await sealAll('alpha');
      assert.deepEqual((await store.waiting(partition('alpha'), { before: LATER, limit: 10 })).items, []);
      const entries = await store.entries('alpha', 0, 100);
      assert.deepEqual(
        entries.map(({ seq, entry }) => [seq, entry.event.seq, entry.event.id]),
        ids.map((id, i) => [i + 1, i + 1, id]),
      );
      const head = await store.head('alpha');
      assert.equal(head?.value.seq, APPEND_LIMIT);
      assert.equal(head?.value.hash, entries.at(-1)?.entry.event.hash);
    });

    test('2. append to a head that has moved is Conflict and changes nothing, whether the events are gone or not', async () => {
      const { store, write, sealAll } = await makeStore();
      await write('alpha', 1, 2);
      const { items } = await store.chainWaiting('alpha', null, 10);
      const conflict = { code: 'Conflict' };
      await sealAll('alpha', 1);
      await assert.rejects(store.append({ ...linkAll(null, items), etag: null }), conflict);
      const stored = await store.head('alpha');
      assert.ok(stored !== null);
      await sealAll('alpha');
      await assert.rejects(
        store.append({ ...linkAll(stored.value, items.slice(1)), etag: stored.etag }),
        conflict,
      );
      assert.equal((await store.entries('alpha', 0, 10)).length, 2);
      const many = Array.from({ length: APPEND_LIMIT + 1 }, () => items)
        .flat()
        .slice(0, APPEND_LIMIT + 1);
      await assert.rejects(store.append({ ...linkAll(null, many), etag: null }), { code: 'Internal' });
    });

    test('3. a head is null before its first entry, listed afterwards, and replaced under its etag alone', async () => {
      const { store, write, sealAll } = await makeStore();
      assert.equal(await store.head('alpha'), null);
      await write('alpha', 1);
      await sealAll('alpha');
      const stored = await store.head('alpha');
      assert.ok(stored !== null);
      assert.deepEqual(await store.heads(partition('alpha')), [stored]);
      const noted = { ...stored.value, checkpointSeq: 1, checkpointAt: at(5) };
      await store.replaceHead(noted, stored.etag);
      assert.deepEqual((await store.head('alpha'))?.value, noted);
      await assert.rejects(store.replaceHead(stored.value, stored.etag), { code: 'Conflict' });
    });

    test('4. entries are those of one chain behind a number, gaps included', async () => {
      const { store, record, write, sealAll } = await makeStore();
      for (const chain of ['alpha', 'alpha-1', 'beta']) {
        await write(chain, 1, 2, 3, 4);
        await sealAll(chain);
      }
      const numbers = async (after: number, limit: number) =>
        (await store.entries('alpha', after, limit)).map(({ seq }) => seq);
      assert.deepEqual(await numbers(0, 10), [1, 2, 3, 4]);
      assert.deepEqual(await numbers(1, 2), [2, 3]);
      await record.commit(String(partition('alpha')).padStart(2, '0'), [
        { op: 'remove', key: 'e|alpha|000000000002' },
      ]);
      assert.deepEqual(await numbers(0, 10), [1, 3, 4]);
    });

    test('5. the timeline has every event once, in the order of time, and each keeps its place when it is sealed', async () => {
      const { store, write, sealAll } = await makeStore();
      const ids = await write('alpha', 1, 2, 3, 4, 5, 6);
      const walk = async (change: () => Promise<void>) => {
        const found: (string | number)[] = [];
        let after = '';
        for (;;) {
          const page = await store.timeline(partition('alpha'), { after, before: null, limit: 2 });
          for (const { at: place, cursor } of page.items) {
            found.push('seq' in place ? (ids[place.seq - 1] ?? '') : place.event.id);
            after = cursor;
          }
          if (page.nextCursor === null) return found;
          after = page.nextCursor;
          await change();
        }
      };
      assert.deepEqual(await walk(async () => {}), ids);
      assert.deepEqual(await walk(() => sealAll('alpha', 2)), ids);
      assert.deepEqual((await store.chainWaiting('alpha', null, 10)).items, []);
      assert.deepEqual(await walk(async () => {}), ids);
      const some = await store.timeline(partition('alpha'), {
        after: at(2).toISOString(),
        before: at(4).toISOString(),
        limit: 10,
      });
      assert.deepEqual(
        some.items.map((entry) => entry.at),
        [{ seq: 2 }, { seq: 3 }],
      );
    });

    test('6. an event of a later program stays where it is, and stops nothing', async () => {
      const { store, record, write } = await makeStore();
      const [known] = await write('alpha', 2);
      const key = `o|${at(1).toISOString()}|ff`;
      await record.commit(String(partition('alpha')).padStart(2, '0'), [
        { op: 'insert', key, v: 2, data: '{}' },
      ]);
      const page = await store.waiting(partition('alpha'), { before: LATER, limit: 1 });
      assert.deepEqual(page.items, []);
      assert.ok(page.nextCursor !== null);
      const next = await store.waiting(partition('alpha'), {
        before: LATER,
        limit: 1,
        cursor: page.nextCursor,
      });
      assert.deepEqual(idsOf(next.items), [known]);
    });

    test('6. an event of a program that did not count stands for one', async () => {
      const { store, record } = await makeStore();
      const { count: _, ...old } = auditEvent('alpha', at(1));
      const data = JSON.stringify({ ...old, identity: { cluster: 'alpha', name: 'KMS' } });
      const key = `o|${at(1).toISOString()}|${old.id}`;
      await record.commit(String(partition('alpha')).padStart(2, '0'), [{ op: 'insert', key, v: 1, data }]);
      const { items } = await store.chainWaiting('alpha', null, 10);
      assert.equal(items[0]?.event.count, 1);
    });

    test('3. the signing key is made once, and followed by who read it last', async () => {
      const { store } = await makeStore();
      const key: AuditSigningKey = {
        v: 1,
        keyId: 'https://vault.test/keys/audit-signing/1',
        certificate: Uint8Array.of(1, 2, 255),
        notBefore: at(0),
        notAfter: at(100),
      };
      assert.equal(await store.signingKey(), null);
      await store.putSigningKey(key, null);
      await assert.rejects(store.putSigningKey(key, null), { code: 'Conflict' });
      const stored = await store.signingKey();
      assert.deepEqual(stored?.value, key);
      await store.putSigningKey({ ...key, keyId: 'next' }, stored?.etag ?? '');
      await assert.rejects(store.putSigningKey(key, stored?.etag ?? ''), { code: 'Conflict' });
    });
  });
}
