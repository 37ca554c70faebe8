import assert from 'node:assert/strict';
import { recordCodecs } from '../../shared/adapters/storage/record-rows.ts';
import type { ClusterSpec } from '../../shared/domain/cluster.ts';
import type { OperationKind } from '../../shared/domain/operation.ts';
import { RECORD_SHARDS, shardOf } from '../../shared/domain/sharding.ts';
import { settleOperation } from '../../shared/use-cases/advance-operation.ts';
import { type CreatedCluster, createCluster } from '../../shared/use-cases/create-cluster.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { getOperation, type OperationView } from '../../shared/use-cases/get-operation.ts';
import type { KeyedCall } from '../../shared/use-cases/keyed-request.ts';
import { startRepair } from '../../shared/use-cases/start-operation.ts';
import type { World } from './memory-world.ts';

export const ALPHA: ClusterSpec = { name: 'alpha', nodes: ['n1', 'n2'], delivery: 'vault', vaultUrl: null };

export const keyed = (key: string, body = 'x'): KeyedCall => ({
  key,
  method: 'POST',
  path: '/api/clusters',
  body,
});

export function create(
  world: World,
  spec: Partial<ClusterSpec> = {},
  call: KeyedCall | null = null,
  deps: Deps = world.deps,
): Promise<CreatedCluster> {
  return createCluster(deps, world.run, { ...ALPHA, ...spec }, call);
}

/** Begins a repair or an update of every credential of a cluster. */
export function repair(
  world: World,
  kind: Extract<OperationKind, 'renew' | 'update'>,
  options: { cluster?: string; force?: boolean; credentials?: readonly ('cloud' | 'kubelet')[] } = {},
  deps: Deps = world.deps,
) {
  const request = {
    cluster: 'alpha',
    credentials: ['cloud', 'kubelet'],
    force: kind === 'update',
    kind,
    ...options,
  } as const;
  return startRepair(deps, world.run, request, null);
}

/** An operation as an operator who asks sees it. */
export async function look(world: World, id: string | null): Promise<OperationView> {
  assert.ok(id !== null);
  await settleOperation(world.deps, world.run, id);
  return getOperation(world.deps, id, { limit: 500, offset: 0 });
}

/** The types of a cluster's own events, by name: several of one moment have no order. */
export async function clusterEvents(world: World, cluster: string): Promise<readonly string[]> {
  const shard = String(shardOf(cluster, RECORD_SHARDS)).padStart(2, '0');
  const rows = await world.tables.record.range(shard, 'o|', 'o}', Number.POSITIVE_INFINITY);
  return rows
    .map((row) => recordCodecs.event.decode(row))
    .filter(({ target }) => target.cluster === cluster && target.name === null)
    .map(({ type }) => type)
    .sort();
}
