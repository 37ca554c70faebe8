/** Lists of 50,000: what they cost, and what they do not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCrl } from '../../shared/use-cases/read-crl.ts';
import { revoke } from '../../shared/use-cases/revoke.ts';
import { KMS } from '../support/agent.ts';
import { recordCalls } from '../support/intercepted-ports.ts';
import { worldWithRevoked } from '../support/long-list.ts';
import { onlyAuthorityId, publish } from '../support/revocation-lists.ts';

async function costOf(entries: number) {
  const world = await worldWithRevoked(entries);
  const id = await onlyAuthorityId(world);
  const { deps, calls } = recordCalls(world.deps);
  const before = world.tables.record.rowsExamined;
  await revoke(deps, world.run, KMS, { instance: null, serialNumber: null }, 'keyCompromise');
  const revoked = world.tables.record.rowsExamined;
  await publish(world);
  const published = world.tables.record.rowsExamined;
  const crl = await readCrl(deps, id);
  await crl.read();
  assert.equal(crl.published.entries, entries + 1);
  return { calls, rows: [revoked - before, world.tables.record.rowsExamined - published] };
}

test('48 a revocation and a request for the list cost the same whatever the list’s length', async () => {
  assert.deepEqual(await costOf(50_000), await costOf(50));
});
