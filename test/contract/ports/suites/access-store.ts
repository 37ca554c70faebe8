import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Table } from '../../../../shared/adapters/storage/table.ts';
import { TableAccessStore } from '../../../../shared/adapters/storage/table-access-store.ts';
import { TableIdentityStore } from '../../../../shared/adapters/storage/table-identity-store.ts';
import { systemRandom } from '../../../../shared/adapters/system/system-random.ts';
import type { Principal, Role, RoleAssignment } from '../../../../shared/domain/access.ts';
import { FLEET_CHAIN } from '../../../../shared/domain/audit.ts';
import { shardOf } from '../../../../shared/domain/sharding.ts';
import type { AccessChange } from '../../../../shared/ports/access-store.ts';
import type { Run } from '../../../../shared/use-cases/deps.ts';
import { eventChange } from '../../../../shared/use-cases/events.ts';
import { TestClock } from '../../../support/memory-world.ts';

const SHARDS = 32;
const PARTITION = String(shardOf(FLEET_CHAIN, SHARDS)).padStart(2, '0');
const RUN: Run = {
  actor: { kind: 'operator', id: 'somebody', source: null },
  correlationId: '00000000-0000-0000-0000-000000000000',
  log: { write: () => {} },
};

const role = (name: string, changes: Partial<Role> = {}): Role => ({
  name,
  actions: ['*/read'],
  notActions: ['event/read'],
  assignableScopes: ['/'],
  builtIn: false,
  ...changes,
});

const KMS = { kind: 'identity', cluster: 'alpha', name: 'KMS', incarnation: 2 } as const satisfies Principal;
/** Holds every character that Azure forbids in a row key. */
const ODD: Principal = { kind: 'operator', id: 'a/b\\c#d?e|f%25' };

const assignment = (id: string, principal: Principal = KMS): RoleAssignment => ({
  id,
  roleName: 'Helper',
  scope: '/clusters/alpha',
  principal,
});

/** The promises of AccessStore (shared/ports/access-store.ts), by their numbers, on a table of `makeTable`. */
export function describeAccessStore(name: string, makeTable: () => Promise<Table>): void {
  const makeStore = async () => {
    const table = await makeTable();
    await table.prepare();
    const store = new TableAccessStore(table, SHARDS);
    const clock = new TestClock('2026-11-21T08:00:00Z');
    const event = (what: string) =>
      eventChange({ clock, random: systemRandom }, RUN, 'role-written', { cluster: FLEET_CHAIN, name: what });
    /** One change under the version of the moment. */
    const write = async (change: AccessChange) =>
      store.commit(change, [event('a change')], await store.version());
    const put = (value: RoleAssignment, previous: RoleAssignment | null = null) =>
      write({ op: 'put', kind: 'assignment', value, previous } as const);
    return { store, table, event, write, put };
  };

  describe(`AccessStore: ${name}`, () => {
    test('1. a change and its event are written together', async () => {
      const { store, table, write } = await makeStore();
      await write({ op: 'put', kind: 'role', value: role('Helper') });
      assert.deepEqual((await store.role('Helper'))?.value, role('Helper'));
      assert.equal((await table.range(PARTITION, 'o|', 'o}', 10)).length, 1);
    });

    test('1. a commit under an earlier version is a Conflict and changes nothing', async () => {
      const { store, table, event, write } = await makeStore();
      for (const stale of [null, 'first'] as const) {
        const version = stale === null ? null : await store.version();
        await write({ op: 'put', kind: 'role', value: role(`Other-${stale}`) });
        const late = store.commit({ op: 'put', kind: 'role', value: role('Late') }, [event('Late')], version);
        await assert.rejects(late, { code: 'Conflict' });
      }
      assert.equal(await store.role('Late'), null);
      assert.equal((await table.range(PARTITION, 'o|', 'o}', 10)).length, 2);
    });

    test('1. of many that change the rules at once under one version one succeeds', async () => {
      const { store, event, write } = await makeStore();
      await write({ op: 'put', kind: 'role', value: role('Helper') });
      const version = await store.version();
      const results = await Promise.allSettled(
        ['a', 'b', 'c', 'd'].map((id) =>
          store.commit(
            { op: 'put', kind: 'assignment', value: assignment(id), previous: null },
            [event(id)],
            version,
          ),
        ),
      );
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
      assert.equal((await store.assignments()).length, 1);
      assert.equal((await store.assignmentsOf(KMS)).length, 1);
    });

    test('2. reads answer null or nothing for what is not there', async () => {
      const { store } = await makeStore();
      assert.equal(await store.version(), null);
      assert.equal(await store.role('Helper'), null);
      assert.equal(await store.assignment('one'), null);
      assert.deepEqual(await store.roles(), []);
      assert.deepEqual(await store.assignments(), []);
      assert.deepEqual(await store.assignmentsOf(KMS), []);
    });

    test('2. what was written is read, listed in order, written over with a new etag, and removed', async () => {
      const { store, write, put } = await makeStore();
      await write({ op: 'put', kind: 'role', value: role('beta') });
      await write({ op: 'put', kind: 'role', value: role('Alpha') });
      assert.deepEqual(await store.roles(), [role('Alpha'), role('beta')]);
      const before = await store.role('beta');
      const changed = role('beta', { actions: ['*'], notActions: [], assignableScopes: ['/clusters/a'] });
      await write({ op: 'put', kind: 'role', value: changed });
      const after = await store.role('beta');
      assert.deepEqual(after?.value, changed);
      assert.notEqual(after?.etag, before?.etag);
      await write({ op: 'remove', kind: 'role', value: changed });
      assert.deepEqual(await store.roles(), [role('Alpha')]);

      await put(assignment('two', ODD));
      await put(assignment('one'));
      assert.deepEqual(await store.assignments(), [assignment('one'), assignment('two', ODD)]);
      assert.deepEqual((await store.assignment('two'))?.value, assignment('two', ODD));
      await write({ op: 'remove', kind: 'assignment', value: assignment('one') });
      assert.deepEqual(await store.assignments(), [assignment('two', ODD)]);
      assert.deepEqual(await store.assignmentsOf(KMS), []);
    });

    test('3. roles and identities are found whatever their case, operators are not', async () => {
      const { store, write, put } = await makeStore();
      await write({ op: 'put', kind: 'role', value: role('Helper') });
      await put(assignment('one'));
      await put(assignment('two', { kind: 'operator', id: 'Some' }));
      assert.deepEqual((await store.role('HELPER'))?.value, role('Helper'));
      assert.deepEqual(await store.assignmentsOf({ ...KMS, name: 'kms' }), [assignment('one')]);
      assert.deepEqual(await store.assignmentsOf({ kind: 'operator', id: 'some' }), []);
    });

    test('4. a principal has its own assignments and nobody else’s', async () => {
      const { store, put } = await makeStore();
      const others: Principal[] = [
        { kind: 'identity', cluster: 'alpha', name: 'KMS2', incarnation: 2 },
        { kind: 'identity', cluster: 'alpha2', name: 'KMS', incarnation: 2 },
        { kind: 'operator', id: 'alpha|kms' },
        ODD,
      ];
      for (const [i, principal] of others.entries()) await put(assignment(`other-${i}`, principal));
      await put(assignment('b'));
      await put(assignment('a'));
      assert.deepEqual(await store.assignmentsOf(KMS), [assignment('a'), assignment('b')]);
      assert.deepEqual(await store.assignmentsOf(ODD), [assignment('other-3', ODD)]);
    });

    test('4. an assignment that goes to another principal leaves the first', async () => {
      const { store, put } = await makeStore();
      await put(assignment('one'));
      await put(assignment('one', ODD), assignment('one'));
      assert.deepEqual(await store.assignmentsOf(KMS), []);
      assert.deepEqual(await store.assignmentsOf(ODD), [assignment('one', ODD)]);
    });

    test('5. a row of a newer program fails by its name and is left out of lists', async () => {
      const { store, table, write, put } = await makeStore();
      await write({ op: 'put', kind: 'role', value: role('Helper') });
      await put(assignment('one'));
      const newer = ['access|role|later', 'access|assignment|later', 'access|of|identity|alpha|kms|later'];
      await table.commit(
        PARTITION,
        newer.map((key) => ({ op: 'insert', key, v: 2, data: '{}' })),
      );
      await assert.rejects(store.role('Later'), { code: 'UnknownRecordVersion' });
      await assert.rejects(store.assignment('later'), { code: 'UnknownRecordVersion' });
      assert.deepEqual(await store.roles(), [role('Helper')]);
      assert.deepEqual(await store.assignments(), [assignment('one')]);
      assert.deepEqual(await store.assignmentsOf(KMS), [assignment('one')]);
    });

    test('the walks over identities see none of it', async () => {
      const { table, write, put } = await makeStore();
      await write({ op: 'put', kind: 'role', value: role('Helper') });
      await put(assignment('one'));
      const identities = new TableIdentityStore({ record: table, serials: table, keys: table }, SHARDS);
      assert.deepEqual((await identities.identities({ limit: 10 })).items, []);
      assert.deepEqual((await identities.dueRows({ limit: 10 })).items, []);
    });
  });
}
