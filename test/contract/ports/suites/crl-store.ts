import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Table } from '../../../../shared/adapters/storage/table.ts';
import { TableCrlStore } from '../../../../shared/adapters/storage/table-crl-store.ts';
import { TableIdentityStore } from '../../../../shared/adapters/storage/table-identity-store.ts';
import { TableRevocationRules } from '../../../../shared/adapters/storage/table-revocation-rules.ts';
import { partitionName } from '../../../../shared/adapters/storage/walk-rows.ts';
import { FLEET_CHAIN } from '../../../../shared/domain/audit.ts';
import type { CrlState } from '../../../../shared/domain/crl.ts';
import type { ListedRevocation, ListingNote } from '../../../../shared/domain/listed-revocation.ts';
import { RECORD_SHARDS, shardOf } from '../../../../shared/domain/sharding.ts';
import { eventChange } from '../../../../shared/use-cases/events.ts';
import { memoryWorld } from '../../../support/memory-world.ts';

const AT = new Date('2026-11-21T08:00:00Z');
const ALPHA = partitionName(shardOf('alpha', RECORD_SHARDS));

const note = (id: string, cluster = 'alpha'): ListingNote => ({
  v: 1,
  id,
  at: AT,
  revoked: { identity: { cluster, name: 'KMS' }, instance: null, serialNumber: null, invalidityDate: AT },
  ruled: null,
});

const listed = (name: string, serialNumber: string, cluster = 'alpha'): ListedRevocation => ({
  v: 1,
  identity: { cluster, name },
  serialNumber,
  authorityId: 'a1',
  notAfter: AT,
  revokedAt: AT,
  reason: 'superseded',
  invalidityDate: null,
  isByRuleAlone: false,
});

const state = (lastNumber: number): CrlState => ({
  v: 1,
  authorityId: 'a1',
  lastNumber,
  published: {
    ...{ number: lastNumber, thisUpdate: AT, nextUpdate: AT, entries: 3, sha256: 'aa', size: 100 },
    ...{ contentHash: 'bb', crossSerialNumbers: ['0c'] },
  },
});

/** The promises of CrlStore (shared/ports/crl-store.ts), by their numbers, on a table of `makeTable`. */
export function describeCrlStore(name: string, makeTable: () => Promise<Table>): void {
  const makeStore = async () => {
    const table = await makeTable();
    await table.prepare();
    const identities = new TableIdentityStore({ record: table, serials: table, keys: table }, RECORD_SHARDS);
    return { store: new TableCrlStore(table, RECORD_SHARDS), table, identities };
  };

  describe(`CrlStore: ${name}`, () => {
    test('1. notes of all clusters and of rules are found, and removed one by one', async () => {
      const { store, table, identities } = await makeStore();
      assert.deepEqual(await store.notes(10), []);
      const [a, b] = [note('a1'), note('b1', 'beta')];
      await identities.commit('alpha', [{ op: 'put', kind: 'note', value: a }]);
      await identities.commit('beta', [{ op: 'put', kind: 'note', value: b }]);
      const { deps, run } = memoryWorld();
      const fleet = { cluster: FLEET_CHAIN, name: 'r1' };
      const criteria = { clientType: 'Node', cluster: 'alpha' } as const;
      await new TableRevocationRules(table, RECORD_SHARDS).insert(
        {
          ...{ v: 1, id: 'r1', ...criteria, dnsName: null, issuedBefore: null },
          ...{ reason: 'unspecified', createdAt: AT, createdBy: 'anna' },
        },
        eventChange(deps, run, 'revocation-rule-created', fleet),
      );
      const all = await store.notes(10);
      assert.deepEqual(new Set(all.map(({ id }) => id)), new Set(['a1', 'b1', 'r1-made']));
      const rule = all.find(({ ruled }) => ruled !== null);
      assert.deepEqual(rule?.ruled, { ruleId: 'r1', ...criteria });
      assert.deepEqual(
        all.find(({ id }) => id === 'a1'),
        a,
      );
      await store.removeNotes([a, ...(rule === undefined ? [] : [rule])]);
      await store.removeNotes([a]);
      assert.deepEqual(await store.notes(10), [b]);
    });

    test('2. what is listed of an identity is put and removed, however much it is', async () => {
      const { store } = await makeStore();
      const many = Array.from({ length: 120 }, (_, i) => listed('KMS', (i + 16).toString(16)));
      await store.changeListed('alpha', { put: [...many, listed('KMS2', '01')], remove: [] });
      assert.deepEqual(await store.listed({ cluster: 'alpha', name: 'kms' }), many);
      const changed = { ...listed('KMS', '10'), isByRuleAlone: true, invalidityDate: AT };
      await store.changeListed('alpha', { put: [changed], remove: many.slice(1) });
      assert.deepEqual(await store.listed({ cluster: 'alpha', name: 'KMS' }), [changed]);
    });

    test('3. everything that is listed is walked page by page', async () => {
      const { store } = await makeStore();
      const put = ['1a', '2b', '3c'].map((serial) => listed('KMS', serial));
      await store.changeListed('alpha', { put, remove: [] });
      await store.changeListed('beta', { put: [listed('KMS', '4d', 'beta')], remove: [] });
      const found: string[] = [];
      let cursor: string | null = null;
      do {
        const page = await store.allListed({ limit: 2, ...(cursor === null ? {} : { cursor }) });
        found.push(...page.items.map(({ serialNumber }) => serialNumber));
        cursor = page.nextCursor;
      } while (cursor !== null);
      assert.deepEqual(found.sort(), ['1a', '2b', '3c', '4d']);
    });

    test('4. an authority’s row is made once, and replaced by whoever has read it last', async () => {
      const { store } = await makeStore();
      assert.equal(await store.state('a1'), null);
      await store.insertState(state(1));
      await assert.rejects(store.insertState(state(2)), { code: 'Conflict' });
      const stored = await store.state('a1');
      assert.deepEqual(stored?.value, state(1));
      await store.replaceState(state(2), stored?.etag ?? '');
      await assert.rejects(store.replaceState(state(3), stored?.etag ?? ''), { code: 'Conflict' });
      assert.deepEqual(await store.states(), [state(2)]);
    });

    test('5. rows of a newer program fail what would be wrong without them, and notes leave them alone', async () => {
      const { store, table } = await makeStore();
      const newer = (key: string) => ({ op: 'insert', key, v: 2, data: '{}' }) as const;
      await table.commit(ALPHA, [newer('k|alpha|kms|01'), newer('u|2026|x')]);
      await table.commit('fleet', [newer('crl|a2')]);
      const unknown = { code: 'UnknownRecordVersion' };
      await assert.rejects(store.listed({ cluster: 'alpha', name: 'KMS' }), unknown);
      await assert.rejects(store.allListed({ limit: 10 }), unknown);
      await assert.rejects(store.states(), unknown);
      assert.deepEqual(await store.notes(10), []);
    });
  });
}
