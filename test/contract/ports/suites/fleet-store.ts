import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Table } from '../../../../shared/adapters/storage/table.ts';
import { TableFleetStore } from '../../../../shared/adapters/storage/table-fleet-store.ts';
import type { Authority } from '../../../../shared/domain/authority.ts';
import { type AuthorityCensus, MOST_MISSING } from '../../../../shared/domain/authority-census.ts';
import type { Cluster } from '../../../../shared/domain/cluster.ts';
import type {
  BundleRecord,
  Deployment,
  FleetChange,
  TimerRun,
} from '../../../../shared/ports/fleet-store.ts';

const AT = new Date('2026-11-21T08:00:00Z');

const DEPLOYMENT: Deployment = {
  v: 1,
  createdAt: AT,
  shards: 32,
  rotationKeyVersion: null,
  activeAuthorityId: null,
  nextAuthorityId: null,
  deliveredBundleId: null,
  readyAt: null,
  lastBackupAt: null,
  restoredAt: null,
};

const authority = (id: string): Authority => ({
  v: 1,
  id,
  state: 'Creating',
  keyType: 'EC-P256',
  serialNumber: '0a'.repeat(16),
  issuedAt: AT,
  notBefore: AT,
  notAfter: new Date('2027-11-21T07:59:59Z'),
  commonName: `Everleaf Authority ${id}`,
  spkiHash: null,
  keyId: null,
  certificate: Uint8Array.of(1, 2, 255),
  vaultVersion: null,
  predecessorId: null,
  crossCertificates: [
    {
      issuerId: 'a0',
      serialNumber: '0b'.repeat(16),
      notBefore: AT,
      notAfter: AT,
      certificate: Uint8Array.of(3),
    },
  ],
  issuers: [Uint8Array.of(4)],
  leafValidityDays: 90,
  publishedAt: AT,
  activatedAt: null,
  retiringAt: null,
  retiredAt: null,
  taintedAt: AT,
  revokedAt: null,
  keyDisabledAt: null,
  taint: {
    reason: 'stolen',
    requestedBy: 'olga',
    pausedAt: null,
    operationId: '11'.repeat(16),
    waveAt: AT,
    waves: 2,
    waveFrom: 100,
    waveTo: 200,
    isWaveDone: false,
    sweptAt: null,
  },
});

const cluster = (name: string): Cluster => ({
  v: 1,
  name,
  kind: 'workload',
  state: 'Active',
  nodes: ['node-1'],
  delivery: 'vault',
  vaultUrl: null,
  createdAt: AT,
  updatedAt: AT,
  remindedAt: null,
  createdBy: 'operator',
  operationId: null,
  creationId: null,
  epoch: 1,
  deliveredBundleId: null,
  revision: 1,
});

const bundle = (id: string): BundleRecord => ({
  v: 1,
  id,
  anchors: ['00'.repeat(32)],
  authorityIds: ['a1'],
  madeAt: AT,
});

/** The promises of FleetStore (shared/ports/fleet-store.ts), by their numbers, on a table of `makeTable`. */
export function describeFleetStore(name: string, makeTable: () => Promise<Table>): void {
  const makeStore = async () => {
    const table = await makeTable();
    await table.prepare();
    return { store: new TableFleetStore(table), table };
  };

  describe(`FleetStore: ${name}`, () => {
    test('1. a row is inserted once; a second time is AlreadyExists and changes nothing', async () => {
      const { store } = await makeStore();
      await store.insertDeployment(DEPLOYMENT);
      await store.insertAuthority(authority('a1'));
      await store.insertCluster(cluster('alpha'));
      const exists = { code: 'AlreadyExists' };
      await assert.rejects(store.insertDeployment({ ...DEPLOYMENT, shards: 1 }), exists);
      await assert.rejects(store.insertAuthority({ ...authority('a1'), commonName: 'other' }), exists);
      await assert.rejects(store.insertCluster({ ...cluster('alpha'), kind: 'management' }), exists);
      assert.deepEqual((await store.deployment())?.value, DEPLOYMENT);
      assert.deepEqual((await store.authority('a1'))?.value, authority('a1'));
      assert.deepEqual((await store.cluster('alpha'))?.value, cluster('alpha'));
    });

    test('1. a row is replaced by who read it last; anybody else gets Conflict', async () => {
      const { store } = await makeStore();
      await store.insertDeployment(DEPLOYMENT);
      await store.insertAuthority(authority('a1'));
      const deployment = await store.deployment();
      const stored = await store.authority('a1');
      assert.ok(deployment !== null && stored !== null);
      await store.replaceDeployment({ ...DEPLOYMENT, activeAuthorityId: 'a1' }, deployment.etag);
      await store.replaceAuthority({ ...stored.value, state: 'Active' }, stored.etag);
      await store.insertCluster(cluster('alpha'));
      const found = await store.cluster('alpha');
      assert.ok(found !== null);
      await store.replaceCluster({ ...found.value, state: 'Deleting' }, found.etag);
      const conflict = { code: 'Conflict' };
      await assert.rejects(store.replaceCluster(found.value, found.etag), conflict);
      assert.equal((await store.cluster('alpha'))?.value.state, 'Deleting');
      await assert.rejects(
        store.replaceDeployment({ ...DEPLOYMENT, readyAt: AT }, deployment.etag),
        conflict,
      );
      await assert.rejects(store.replaceAuthority(stored.value, stored.etag), conflict);
      assert.equal((await store.deployment())?.value.activeAuthorityId, 'a1');
      assert.equal((await store.authority('a1'))?.value.state, 'Active');
    });

    test('1. a timer run is written over whatever was there', async () => {
      const { store } = await makeStore();
      const run: TimerRun = {
        v: 1,
        name: 'renew-due',
        lastStartedAt: AT,
        lastSuccessAt: null,
        lastErrorCode: 'VaultUnavailable',
      };
      await store.putTimerRun({ ...run, lastErrorCode: null });
      await store.putTimerRun(run);
      assert.deepEqual(await store.timerRun('renew-due'), run);
    });

    test('1. a census is written over the one before, also with as many long names as there can be', async () => {
      const { store } = await makeStore();
      const missing = Array.from({ length: MOST_MISSING }, (_, n) => ({
        cluster: 'c'.repeat(32),
        name: `${n}`.padEnd(63, 'n'),
        lastSeenAt: AT,
      }));
      const ack = { total: 50_000, acknowledged: 49_900, missing };
      const census: AuthorityCensus = {
        v: 1,
        authorityId: 'a1',
        asOf: AT,
        leaves: { live: 50_000, latestNotAfter: AT },
        verifiers: ack,
        agents: ack,
      };
      await store.putCensus({ ...census, leaves: { live: 0, latestNotAfter: null } });
      await store.putCensus(census);
      assert.deepEqual(await store.censuses(), [census]);
    });

    test('2. reads answer null for a row that is not there, and lists all that are', async () => {
      const { store } = await makeStore();
      assert.equal(await store.deployment(), null);
      assert.equal(await store.authority('a1'), null);
      assert.equal(await store.cluster('alpha'), null);
      assert.equal(await store.timerRun('renew-due'), null);
      assert.deepEqual(await store.authorities(), []);
      for (const id of ['a2', 'a1']) await store.insertAuthority(authority(id));
      for (const id of ['beta', 'alpha']) await store.insertCluster(cluster(id));
      assert.deepEqual(await store.authorities(), [authority('a1'), authority('a2')]);
      assert.deepEqual(await store.clusters(), [cluster('alpha'), cluster('beta')]);
    });

    test('3. a cluster of the first versions is read as one that is active and has no vault of its own', async () => {
      const { store, table } = await makeStore();
      const at = AT.toISOString();
      const data = JSON.stringify({ v: 1, name: 'old', kind: 'management', createdAt: at, updatedAt: at });
      await table.commit('fleet', [{ op: 'insert', key: 'cluster|old', v: 1, data }]);
      assert.deepEqual((await store.cluster('old'))?.value, {
        ...cluster('old'),
        kind: 'management',
        nodes: [],
        createdBy: null,
      });
    });

    test('3. a row of a newer program fails; the list of clusters leaves it out, that of authorities fails', async () => {
      const { store, table } = await makeStore();
      await store.insertAuthority(authority('a1'));
      await store.insertCluster(cluster('alpha'));
      for (const key of ['authority|a2', 'cluster|beta', 'deployment', 'timer|renew-due']) {
        await table.commit('fleet', [{ op: 'insert', key, v: 2, data: '{}' }]);
      }
      const unknown = { code: 'UnknownRecordVersion' };
      await assert.rejects(store.deployment(), unknown);
      await assert.rejects(store.authority('a2'), unknown);
      await assert.rejects(store.cluster('beta'), unknown);
      await assert.rejects(store.timerRun('renew-due'), unknown);
      await assert.rejects(store.authorities(), unknown);
      assert.deepEqual(await store.clusters(), [cluster('alpha')]);
    });

    test('4. commit makes all changes or none', async () => {
      const { store } = await makeStore();
      await store.insertDeployment(DEPLOYMENT);
      await store.insertAuthority(authority('a1'));
      const [deployment, stored] = await Promise.all([store.deployment(), store.authority('a1')]);
      assert.ok(deployment !== null && stored !== null);
      const changes: readonly FleetChange[] = [
        { op: 'insert', kind: 'authority', value: authority('a2') },
        {
          op: 'replace',
          kind: 'authority',
          value: { ...authority('a1'), state: 'Retired' },
          etag: stored.etag,
        },
        { op: 'put', kind: 'bundle', value: bundle('b1') },
        {
          op: 'replace',
          kind: 'deployment',
          value: { ...DEPLOYMENT, nextAuthorityId: 'a2' },
          etag: deployment.etag,
        },
      ];
      await store.commit(changes);
      assert.equal((await store.authority('a1'))?.value.state, 'Retired');
      assert.deepEqual((await store.authority('a2'))?.value, authority('a2'));
      assert.equal((await store.deployment())?.value.nextAuthorityId, 'a2');
      // Both rows have another etag by now, and a2 is there.
      const conflict = { code: 'Conflict' };
      await assert.rejects(store.commit(changes), conflict);
      const put: FleetChange = { op: 'put', kind: 'bundle', value: bundle('b2') };
      await assert.rejects(store.commit([put, ...changes.slice(0, 1)]), conflict);
      await assert.rejects(store.commit([put, ...changes.slice(1, 2)]), conflict);
      assert.deepEqual(await store.bundles(), [bundle('b1')]);
    });

    test('5. bundles are all that were ever put, the oldest first', async () => {
      const { store } = await makeStore();
      assert.deepEqual(await store.bundles(), []);
      const older = { ...bundle('b2'), madeAt: new Date(AT.getTime() - 1000) };
      await store.commit([{ op: 'put', kind: 'bundle', value: bundle('b1') }]);
      await store.commit([{ op: 'put', kind: 'bundle', value: older }]);
      await store.commit([{ op: 'put', kind: 'bundle', value: bundle('b1') }]);
      assert.deepEqual(await store.bundles(), [older, bundle('b1')]);
    });
  });
}
