import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Table } from '../../../../shared/adapters/storage/table.ts';
import { TableRevocationRules } from '../../../../shared/adapters/storage/table-revocation-rules.ts';
import { partitionName } from '../../../../shared/adapters/storage/walk-rows.ts';
import { FLEET_CHAIN } from '../../../../shared/domain/audit.ts';
import type { RevocationRule } from '../../../../shared/domain/revocation.ts';
import { RECORD_SHARDS, shardOf } from '../../../../shared/domain/sharding.ts';
import { eventChange } from '../../../../shared/use-cases/events.ts';
import { memoryWorld } from '../../../support/memory-world.ts';

const AT = new Date('2026-11-21T08:00:00Z');
const PARTITION = partitionName(shardOf(FLEET_CHAIN, RECORD_SHARDS));

const rule = (id: string, changes: Partial<RevocationRule> = {}): RevocationRule => ({
  v: 1,
  id,
  clientType: 'Node',
  cluster: 'alpha',
  dnsName: '.example.test',
  issuedBefore: AT,
  reason: 'keyCompromise',
  createdAt: AT,
  createdBy: 'anna',
  ...changes,
});

const { deps, run } = memoryWorld();
const event = (type: 'revocation-rule-created' | 'revocation-rule-deleted') =>
  eventChange(deps, run, type, { cluster: FLEET_CHAIN, name: 'one' });
const CREATED = 'revocation-rule-created';

/** The promises of RevocationRules (shared/ports/revocation-rules.ts), by their numbers, on a table of `makeTable`. */
export function describeRevocationRules(name: string, makeTable: () => Promise<Table>): void {
  const makeStore = async () => {
    const table = await makeTable();
    await table.prepare();
    const events = async () => (await table.range(PARTITION, 'o|', 'o}', 100)).length;
    const notes = async () => (await table.range(PARTITION, 'u|', 'u}', 100)).length;
    return { store: new TableRevocationRules(table, RECORD_SHARDS), table, events, notes };
  };

  describe(`RevocationRules: ${name}`, () => {
    test('1. a rule, its event and its note are written together or not at all', async () => {
      const { store, events, notes } = await makeStore();
      await store.insert(rule('a1'), event(CREATED));
      assert.equal(await events(), 1);
      await assert.rejects(store.insert(rule('a1', { cluster: 'beta' }), event(CREATED)), {
        code: 'Conflict',
      });
      assert.deepEqual([await events(), await notes()], [1, 1]);
      assert.deepEqual(await store.all(), [rule('a1')]);
      await store.remove(rule('a1'), event('revocation-rule-deleted'));
      assert.deepEqual([await events(), await notes()], [2, 2]);
      assert.deepEqual(await store.all(), []);
    });

    test('2. rules come back as they were, oldest first', async () => {
      const { store } = await makeStore();
      const bare = { clientType: null, cluster: null, dnsName: null, issuedBefore: null };
      const younger = rule('a1', { createdAt: new Date('2026-11-22T08:00:00Z') });
      assert.deepEqual(await store.all(), []);
      for (const value of [younger, rule('b2', { ...bare, cluster: 'alpha' })]) {
        await store.insert(value, event(CREATED));
      }
      assert.deepEqual(await store.all(), [rule('b2', { ...bare, cluster: 'alpha' }), younger]);
    });

    test('3. a rule of a newer program fails every read, so that what it revokes does not pass for good', async () => {
      const { store, table } = await makeStore();
      await store.insert(rule('a1'), event(CREATED));
      await table.commit(PARTITION, [{ op: 'insert', key: 'r|a2', v: 2, data: '{}' }]);
      await assert.rejects(store.all(), { code: 'UnknownRecordVersion' });
    });
  });
}
