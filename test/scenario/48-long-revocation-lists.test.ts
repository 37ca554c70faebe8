/** Lists of 50,000: what they cost, and what they do not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addMs, DAY_MS } from '../../shared/domain/instants.ts';
import type { ListedRevocation } from '../../shared/domain/listed-revocation.ts';
import { readCrl } from '../../shared/use-cases/read-crl.ts';
import { revoke } from '../../shared/use-cases/revoke.ts';
import { KMS } from '../support/agent.ts';
import { recordCalls } from '../support/intercepted-ports.ts';
import type { World } from '../support/memory-world.ts';
import { startedWorld } from '../support/operator-actions.ts';
import { onlyAuthorityId, publish, servedList } from '../support/revocation-lists.ts';

async function worldWith(entries: number): Promise<World> {
  const world = await startedWorld();
  const authorityId = await onlyAuthorityId(world);
  const now = world.clock.now();
  const put = Array.from(
    { length: entries },
    (_, i): ListedRevocation => ({
      v: 1,
      identity: { cluster: 'alpha', name: `n-${i % 500}` },
      serialNumber: `5e${i.toString(16).padStart(30, '0')}`,
      authorityId,
      notAfter: addMs(now, 80 * DAY_MS),
      revokedAt: now,
      reason: 'superseded',
      invalidityDate: null,
      isByRuleAlone: false,
    }),
  );
  await world.deps.crl.changeListed('alpha', { put, remove: [] });
  await publish(world);
  return world;
}

test('48 a revocation and a request for the list cost the same whatever the list’s length', async () => {
  const costs = await Promise.all(
    [50, 50_000].map(async (entries) => {
      const world = await worldWith(entries);
      const id = await onlyAuthorityId(world);
      const examined = world.tables.record.rowsExamined;
      const { deps, calls } = recordCalls(world.deps);
      await revoke(deps, world.run, KMS, { instance: null, serialNumber: null }, 'keyCompromise');
      await (await readCrl(deps, id)).read();
      const cost = { calls, rows: world.tables.record.rowsExamined - examined };

      await publish(world);
      const list = await servedList(world, id);
      assert.equal([...list.entries()].length, entries + 1);
      return cost;
    }),
  );
  assert.deepEqual(costs[1], costs[0]);
});
