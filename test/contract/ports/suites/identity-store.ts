import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Table } from '../../../../shared/adapters/storage/table.ts';
import { TableIdentityStore } from '../../../../shared/adapters/storage/table-identity-store.ts';
import { type AuditEvent, FLEET_CHAIN } from '../../../../shared/domain/audit.ts';
import type { CertificateRecord, Identity } from '../../../../shared/domain/identity.ts';
import { type Instance, lineAfterLogin } from '../../../../shared/domain/instance.ts';
import type { IdentityId } from '../../../../shared/domain/names.ts';
import type { CertificateRevocation } from '../../../../shared/domain/revocation.ts';
import { RECORD_SHARDS, shardOf } from '../../../../shared/domain/sharding.ts';
import type { TokenRecord } from '../../../../shared/domain/token.ts';
import type { Change, DueRow, IssuanceRecord, Page } from '../../../../shared/ports/identity-store.ts';
import { dueKey } from '../../../../shared/use-cases/update-identity.ts';
import { buildHead, buildIdentity, ISSUED_AT } from '../../../support/build-identity.ts';

const ID: IdentityId = { cluster: 'management', name: 'KMS' };
type CountedEvent = AuditEvent & { identity: IdentityId };

const EVERYTHING = Number.POSITIVE_INFINITY;

const identity = (changes: Partial<Pick<Identity, 'cluster' | 'name' | 'lastSeenAt'>> = {}): Identity =>
  buildIdentity({ ...ID, ...changes });
const insertIdentity = (value: Identity): Change => ({ op: 'insert', kind: 'identity', value });

function tokenRecord(id: string, changes: Partial<TokenRecord> = {}): TokenRecord {
  return {
    v: 1,
    id,
    identity: ID,
    generation: 0,
    secretHash: 'ab'.repeat(32),
    nonce: 'cd'.repeat(16),
    issuedAt: ISSUED_AT,
    expiresAt: new Date('2027-02-18T23:59:59Z'),
    firstUsedAt: null,
    maxUses: null,
    uses: 0,
    ...changes,
  };
}

function certificateRecord(): CertificateRecord {
  const { serialNumber, issuedAt, notBefore, notAfter, authorityId } = buildHead();
  return {
    v: 1,
    identity: ID,
    incarnation: 1,
    instance: 'vault',
    serialNumber,
    authorityId,
    issuedAt,
    notBefore,
    notAfter,
    spkiHash: 'ef'.repeat(32),
    der: Uint8Array.from({ length: 300 }, (_, i) => i % 256),
  };
}

function dueRow(id: IdentityId, at: string): DueRow {
  const dueAt = new Date(at);
  const { cluster, name } = id;
  return {
    v: 1,
    key: dueKey(id, 'token', dueAt),
    identity: { cluster, name },
    kind: 'token',
    dueAt,
    expiresAt: null,
    isReminder: true,
  };
}

/** The promises of IdentityStore (shared/ports/identity-store.ts), by their numbers, on tables of `makeTable`. */
export function describeIdentityStore(name: string, makeTable: () => Promise<Table>): void {
  const makeStore = async () => {
    const record = await makeTable();
    const serials = await makeTable();
    const keys = await makeTable();
    for (const table of [record, serials, keys]) await table.prepare();
    return { store: new TableIdentityStore({ record, serials, keys }, RECORD_SHARDS), record };
  };

  describe(`IdentityStore: ${name}`, () => {
    test('1. commit makes all changes of a cluster or none', async () => {
      const { store } = await makeStore();
      await store.commit('management', [insertIdentity(identity())]);
      const token = tokenRecord('00'.repeat(16));
      await assert.rejects(
        store.commit('management', [
          { op: 'insert', kind: 'token', value: token },
          insertIdentity(identity()),
        ]),
        { code: 'Conflict' },
      );
      assert.equal(await store.token(new Uint8Array(16)), null);
    });

    test('10. a gate is read by its number, and those of one cluster together', async () => {
      const { store } = await makeStore();
      const gate = (slot: number) => ({ v: 1, cluster: 'alpha', slot, state: 'Open', epoch: 1 }) as const;
      assert.equal(await store.gate('alpha', 0), null);
      assert.deepEqual(await store.gates('alpha'), []);
      const made = [0, 11].map((slot): Change => ({ op: 'insert', kind: 'gate', value: gate(slot) }));
      await store.commit('alpha', made);
      const other = { ...gate(0), cluster: 'alpha-2' };
      await store.commit('alpha-2', [{ op: 'insert', kind: 'gate', value: other }]);
      const found = await store.gate('alpha', 11);
      assert.deepEqual(found?.value, gate(11));
      assert.deepEqual(
        (await store.gates('alpha')).map(({ value }) => value.slot),
        [0, 11],
      );
      const closed: Change = {
        op: 'replace',
        kind: 'gate',
        value: { ...gate(11), state: 'Closed' },
        etag: found?.etag ?? '',
      };
      await store.commit('alpha', [closed]);
      assert.equal((await store.gate('alpha', 11))?.value.state, 'Closed');
      await assert.rejects(store.commit('alpha', [closed]), { code: 'Conflict' });
    });

    test('1. a replace with an etag of an earlier read is a Conflict, and changes nothing', async () => {
      const { store } = await makeStore();
      await store.commit('management', [insertIdentity(identity())]);
      const stored = await store.identity(ID);
      assert.ok(stored !== null);
      const seen = (at: string): Change => ({
        op: 'replace',
        kind: 'identity',
        value: identity({ lastSeenAt: new Date(at) }),
        etag: stored.etag,
      });
      await store.commit('management', [seen('2026-11-22T00:00:00Z')]);
      await assert.rejects(store.commit('management', [seen('2026-11-23T00:00:00Z')]), { code: 'Conflict' });
      assert.deepEqual((await store.identity(ID))?.value.lastSeenAt, new Date('2026-11-22T00:00:00Z'));
    });

    test('1. a removal of a due row that is gone changes nothing', async () => {
      const { store } = await makeStore();
      const { key } = dueRow(ID, '2026-11-21T08:00:00Z');
      await store.commit('management', [
        { op: 'remove', kind: 'due', identity: ID, key },
        insertIdentity(identity()),
      ]);
      assert.ok((await store.identity(ID)) !== null);
    });

    test('2. what commit acknowledged comes back as it was, whatever kind it is', async () => {
      const { store } = await makeStore();
      const token = tokenRecord(`05${'11'.repeat(15)}`);
      const certificate = certificateRecord();
      const instance: Instance = {
        v: 1,
        id: 'one',
        identity: ID,
        startedAt: ISSUED_AT,
        spkiHash: certificate.spkiHash,
        head: buildHead(),
        incarnation: 2,
        provenAt: ISSUED_AT,
        successor: { ...buildHead({ serialNumber: '5eb63bbbe01eeed093cb22bb80000001' }), spkiHash: 'aa' },
        originalSerialNumber: certificate.serialNumber,
        lockedAt: ISSUED_AT,
        revokedAt: null,
        revocationReason: 'keyCompromise',
        recoveriesUsed: 1,
        lastSeenAt: ISSUED_AT,
        bundleId: 'bb',
      };
      const login: IssuanceRecord = {
        v: 1,
        identity: ID,
        credential: token.id,
        spkiHash: certificate.spkiHash,
        instance: 'one',
        startedAt: ISSUED_AT,
        attempt: {
          id: '77'.repeat(16),
          serialNumber: certificate.serialNumber,
          issuedAt: ISSUED_AT,
          notBefore: certificate.notBefore,
          notAfter: certificate.notAfter,
          authorityId: 'a1',
          spkiHash: null,
          requestId: null,
        },
        finishedAt: null,
      };
      const event: AuditEvent & { identity: IdentityId } = {
        v: 1,
        id: '99'.repeat(16),
        time: ISSUED_AT,
        type: 'login',
        outcome: 'success',
        reason: null,
        count: 1,
        actor: { kind: 'agent', id: null, source: null },
        target: { cluster: 'management', name: 'KMS', serialNumber: null, authorityId: null },
        correlationId: 'test',
        details: {},
        identity: ID,
      };
      const owned = { ...token, id: `${toHexByte(store.tokenShard('management'))}${token.id.slice(2)}` };
      await store.commit('management', [
        insertIdentity(identity()),
        { op: 'insert', kind: 'token', value: owned },
        { op: 'insert', kind: 'certificate', value: certificate },
        { op: 'insert', kind: 'instance', value: instance },
        { op: 'insert', kind: 'issuance', value: login },
        { op: 'put', kind: 'due', value: dueRow(ID, '2026-11-21T08:00:30Z') },
        { op: 'insert', kind: 'event', value: event },
      ]);
      assert.deepEqual((await store.identity({ ...ID, name: 'kms' }))?.value, identity());
      assert.deepEqual((await store.token(bytesOf(owned.id)))?.value, owned);
      assert.deepEqual(await store.certificate(ID, certificate.serialNumber), certificate);
      assert.deepEqual(await store.certificates({ ...ID, name: 'kms' }), [certificate]);
      assert.deepEqual(await store.certificates({ ...ID, name: 'KM' }), []);
      assert.deepEqual(await store.instances(ID), [instance]);
      assert.deepEqual((await store.instance(ID, instance.id))?.value, instance);
      assert.deepEqual((await store.issuance('management', token.id, certificate.spkiHash))?.value, login);
      assert.deepEqual(await store.due(new Date('2026-11-21T08:00:30Z'), EVERYTHING), [
        dueRow(ID, '2026-11-21T08:00:30Z'),
      ]);
    });

    test('11. lines are answered in the order of their ids, all at once or page by page', async () => {
      const { store } = await makeStore();
      const ids = ['a1', 'a1b', 'b', 'c'];
      const lines = ids.map((id) =>
        lineAfterLogin(null, identity(), id, { head: buildHead(), spkiHash: 'aa' }),
      );
      const inserts = [...lines]
        .reverse()
        .map((value) => ({ op: 'insert', kind: 'instance', value }) as const);
      await store.commit('management', inserts);
      const idsOf = async (after: string | null, limit: number) =>
        (await store.instances(ID, { after, limit })).map(({ id }) => id);
      assert.deepEqual(await store.instances(ID), lines);
      assert.deepEqual(await idsOf(null, 2), ['a1', 'a1b']);
      assert.deepEqual(await idsOf('a1', 2), ['a1b', 'b']);
      assert.deepEqual(await idsOf('b', 2), ['c']);
      assert.deepEqual(await idsOf('c', 2), []);
    });

    test('3. reads answer null for a row that is not there', async () => {
      const { store } = await makeStore();
      assert.equal(await store.identity(ID), null);
      assert.equal(await store.certificate(ID, 'ab'), null);
      assert.equal(await store.issuance('management', 'ab', 'cd'), null);
      assert.deepEqual(await store.instances(ID), []);
      assert.equal(await store.instance(ID, 'another'), null);
      assert.deepEqual(await store.identities({ limit: 10 }), { items: [], nextCursor: null });
    });

    test('3. a row of a newer program fails with UnknownRecordVersion, and lists leave it out', async () => {
      const { store, record } = await makeStore();
      await store.commit('management', [
        insertIdentity(identity()),
        insertIdentity(identity({ name: 'CSI' })),
      ]);
      const partition = String(shardOf('management', RECORD_SHARDS)).padStart(2, '0');
      await record.commit(partition, [{ op: 'put', key: 'i|management|kms', v: 2, data: '{"new":true}' }]);
      await assert.rejects(store.identity(ID), { code: 'UnknownRecordVersion' });
      const { items } = await store.identities({ limit: 10 });
      assert.deepEqual(
        items.map((item) => item.name),
        ['CSI'],
      );
    });

    test('3. identities are listed page by page, by cluster or all, each once', async () => {
      const { store } = await makeStore();
      const clusters = ['management', 'alpha', 'beta', 'alpha-two'];
      for (const cluster of clusters) {
        const members = Array.from({ length: 5 }, (_, i) =>
          insertIdentity(identity({ cluster, name: `N${i}` })),
        );
        await store.commit(cluster, members);
      }
      const walk = async (cluster?: string) => {
        const found: string[] = [];
        let cursor: string | null = null;
        do {
          const options = { limit: 3, ...(cluster && { cluster }), ...(cursor !== null && { cursor }) };
          const page = await store.identities(options);
          assert.ok(page.items.length <= 3);
          found.push(...page.items.map((item) => `${item.cluster}/${item.name}`));
          cursor = page.nextCursor;
        } while (cursor !== null);
        return found;
      };
      const all = await walk();
      assert.equal(all.length, 20);
      assert.equal(new Set(all).size, 20);
      assert.deepEqual(await walk('alpha'), ['alpha/N0', 'alpha/N1', 'alpha/N2', 'alpha/N3', 'alpha/N4']);
      assert.deepEqual(await walk('none'), []);
    });

    test('4. token finds a row by any 16 bytes, the first of which tells its cluster’s partition', async () => {
      const { store } = await makeStore();
      for (const cluster of ['management', 'alpha', 'beta']) {
        const shard = store.tokenShard(cluster);
        assert.ok(Number.isInteger(shard) && shard >= 0 && shard < 256);
        const id = `${toHexByte(shard)}${'5a'.repeat(15)}`;
        const value = tokenRecord(id, { identity: { cluster, name: 'KMS' } });
        await store.commit(cluster, [{ op: 'insert', kind: 'token', value }]);
        assert.deepEqual((await store.token(bytesOf(id)))?.value, value);
      }
      assert.equal(await store.token(new Uint8Array(16).fill(255)), null);
    });

    test('5. due answers what is due up to a moment in every partition, oldest first, a limit of each', async () => {
      const { store } = await makeStore();
      const rows = [
        dueRow({ cluster: 'alpha', name: 'A' }, '2026-11-21T09:00:00Z'),
        dueRow({ cluster: 'beta', name: 'B' }, '2026-11-21T08:00:59Z'),
        dueRow({ cluster: 'alpha', name: 'C' }, '2026-11-21T08:00:10Z'),
        dueRow({ cluster: 'alpha', name: 'D' }, '2026-11-21T08:30:00Z'),
      ];
      for (const value of rows) {
        await store.commit(value.identity.cluster, [{ op: 'put', kind: 'due', value }]);
      }
      const names = async (until: string, limit: number) =>
        (await store.due(new Date(until), limit)).map(({ identity: { name: who } }) => who);
      assert.deepEqual(await names('2026-11-21T09:00:00Z', EVERYTHING), ['C', 'B', 'D', 'A']);
      assert.deepEqual(await names('2026-11-21T08:00:59Z', EVERYTHING), ['C', 'B']);
      assert.deepEqual(await names('2026-11-21T09:00:00Z', 1), ['C', 'B']);
      assert.deepEqual(await names('2026-11-21T07:59:00Z', EVERYTHING), []);
    });

    test('6. a serial number and a key belong to the first that claims them, for good', async () => {
      const { store } = await makeStore();
      const first = { identity: ID, instance: 'vault' };
      const second = { identity: { cluster: 'alpha', name: 'CSI' }, instance: 'one' };
      for (const claim of [store.claimSerial.bind(store), store.claimKey.bind(store)]) {
        assert.deepEqual(await claim('0a1b', first), first);
        assert.deepEqual(await claim('0a1b', second), first);
        assert.deepEqual(await claim('0a1b', first), first);
        assert.deepEqual(await claim('0a1c', second), second);
      }
    });

    test('6. serialOwner tells whose a serial number is, and claims nothing', async () => {
      const { store } = await makeStore();
      const owner = { identity: ID, instance: 'vault' };
      assert.equal(await store.serialOwner('0a1d'), null);
      await store.claimSerial('0a1d', owner);
      assert.deepEqual(await store.serialOwner('0a1d'), owner);
    });

    test('6. of many that claim at once one wins, and all learn who', async () => {
      const { store } = await makeStore();
      const owners = Array.from({ length: 8 }, (_, i) => ({ identity: ID, instance: `number ${i}` }));
      const answers = await Promise.all(owners.map((owner) => store.claimKey('ff00', owner)));
      assert.equal(new Set(answers.map(({ instance }) => instance)).size, 1);
    });

    test('7. dueRows lists the whole index page by page, each row once, whatever its moment', async () => {
      const { store } = await makeStore();
      const moments = ['2026-11-21T09:00:00Z', '2036-01-01T00:00:00Z', '2020-01-01T00:00:00Z'];
      const rows = ['alpha', 'beta', 'management'].flatMap((cluster) =>
        moments.map((at, i) => dueRow({ cluster, name: `N${i}` }, at)),
      );
      for (const value of rows) {
        await store.commit(value.identity.cluster, [{ op: 'put', kind: 'due', value }]);
      }
      const found: string[] = [];
      let cursor: string | null = null;
      do {
        const page: Page<DueRow> = await store.dueRows({ limit: 2, ...(cursor !== null && { cursor }) });
        assert.ok(page.items.length <= 2);
        found.push(...page.items.map(({ key }) => key));
        cursor = page.nextCursor;
      } while (cursor !== null);
      assert.deepEqual(found.sort(), rows.map(({ key }) => key).sort());
    });

    test('9. revocations answers those of one identity as they were put, and a second put replaces the first', async () => {
      const { store } = await makeStore();
      const value: CertificateRevocation = {
        v: 1,
        identity: ID,
        instance: 'one',
        serialNumber: '0a1b',
        spkiHash: 'ef'.repeat(32),
        authorityId: 'a1',
        notAfter: ISSUED_AT,
        revokedAt: ISSUED_AT,
        reason: 'superseded',
      };
      const put = (row: CertificateRevocation): Change => ({ op: 'put', kind: 'revocation', value: row });
      assert.deepEqual(await store.revocations(ID), []);
      const others = { ...value, identity: { ...ID, name: 'KMS2' } };
      await store.commit('management', [put(value), put(others)]);
      assert.deepEqual(await store.revocations({ ...ID, name: 'kms' }), [value]);
      await store.commit('management', [put({ ...value, reason: 'keyCompromise' })]);
      assert.deepEqual(await store.revocations(ID), [{ ...value, reason: 'keyCompromise' }]);
    });

    test('9. a revocation of a newer program fails the read', async () => {
      const { store, record } = await makeStore();
      const partition = String(shardOf('management', RECORD_SHARDS)).padStart(2, '0');
      await record.commit(partition, [{ op: 'put', key: 's|management|kms|0a', v: 2, data: '{}' }]);
      await assert.rejects(store.revocations(ID), { code: 'UnknownRecordVersion' });
    });

    test('7. dueRow reads one row of a cluster by its key, and answers null where there is none', async () => {
      const { store } = await makeStore();
      const value = dueRow(ID, '2026-11-21T08:00:30Z');
      await store.commit('management', [{ op: 'put', kind: 'due', value }]);
      assert.deepEqual(await store.dueRow('management', value.key), value);
      assert.equal(await store.dueRow('management', `${value.key}s`), null);
    });

    test('8. countEvent writes an event, and adds to its count the next time', async () => {
      const { store, record } = await makeStore();
      const first = deniedEvent({ count: 1, correlationId: 'first' });
      await store.countEvent(first);
      assert.deepEqual(await eventsOf(record), [first]);
      await store.countEvent(deniedEvent({ count: 4, correlationId: 'second' }));
      assert.deepEqual(await eventsOf(record), [{ ...first, count: 5 }]);
    });

    test('8. events of another id, time or cluster are counted apart', async () => {
      const { store, record } = await makeStore();
      await store.countEvent(deniedEvent());
      await store.countEvent(deniedEvent({ id: '98'.repeat(16) }));
      await store.countEvent(deniedEvent({ time: new Date('2026-11-21T00:01:59.999Z') }));
      await store.countEvent(deniedEvent({ identity: ID }));
      assert.deepEqual(
        (await eventsOf(record)).map(({ count }) => count),
        [1, 1, 1],
      );
      assert.equal((await eventsOf(record, 'management')).length, 1);
    });

    test('8. an event that was written before events had a count counts as one', async () => {
      const { store, record } = await makeStore();
      const { count: _, ...old } = deniedEvent();
      const key = `o|${old.time.toISOString()}|${old.id}`;
      await record.commit(partitionOf(FLEET_CHAIN), [{ op: 'put', key, v: 1, data: JSON.stringify(old) }]);
      await store.countEvent(deniedEvent());
      assert.deepEqual(await eventsOf(record), [{ ...old, count: 2 }]);
    });

    test('8. of many that count one event at once each is counted or fails with Conflict', async () => {
      const { store, record } = await makeStore();
      const calls = await Promise.allSettled(
        Array.from({ length: 12 }, () => store.countEvent(deniedEvent())),
      );
      const failed = calls.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []));
      assert.ok(failed.every((code) => code === 'Conflict'));
      assert.equal((await eventsOf(record))[0]?.count, calls.length - failed.length);
    });
  });
}

function deniedEvent(changes: Partial<CountedEvent> = {}): CountedEvent {
  return {
    v: 1,
    id: '99'.repeat(16),
    time: new Date('2026-11-21T00:00:59.999Z'),
    type: 'login-denied',
    outcome: 'denied',
    reason: 'unknown-id',
    count: 1,
    actor: { kind: 'anonymous', id: null, source: '192.0.2.1' },
    target: { cluster: null, name: null, serialNumber: null, authorityId: null },
    correlationId: 'test',
    details: {},
    identity: { cluster: FLEET_CHAIN, name: 'login' },
    ...changes,
  };
}

/** The unsealed events of a cluster's partition, as they stand in their rows. */
async function eventsOf(record: Table, cluster = FLEET_CHAIN): Promise<CountedEvent[]> {
  const rows = await record.range(partitionOf(cluster), 'o|', 'o}', EVERYTHING);
  return rows.map(({ data }) => {
    const event: CountedEvent = JSON.parse(data);
    return { ...event, time: new Date(event.time) };
  });
}

function partitionOf(cluster: string): string {
  return String(shardOf(cluster, RECORD_SHARDS)).padStart(2, '0');
}

function toHexByte(value: number): string {
  return value.toString(16).padStart(2, '0');
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}
