import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AuthorityState } from '../../shared/domain/authority.ts';
import { crossCrlLines } from '../../shared/domain/crl.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/domain/instants.ts';
import { chainOf } from '../../shared/use-cases/authorities.ts';
import { listAuthorities } from '../../shared/use-cases/list-authorities.ts';
import {
  activateByHand,
  cancelByHand,
  planActivation,
  planRollNow,
  prepareByHand,
  rollNow,
} from '../../shared/use-cases/manage-authorities.ts';
import {
  pauseTaint,
  planRevocation,
  planTaint,
  resumeTaint,
  revokeByHand,
  taintByHand,
} from '../../shared/use-cases/manage-taint.ts';
import { logIn, NODE_AGENT, requestOf, tokenFromLoginFile } from '../support/agent.ts';
import { look } from '../support/clusters.ts';
import { refuseCalls } from '../support/faults.ts';
import { interceptPorts } from '../support/intercepted-ports.ts';
import type { World } from '../support/memory-world.ts';
import { firstCertificate, holding, renew, show } from '../support/proving-agent.ts';
import { taintFleet } from '../support/taint-fleet.ts';
import { assertTrusted } from '../support/trust.ts';
import { keyPair } from '../unit/pki/support/keys.ts';

const start = async () => taintFleet({ inVault: 0, agents: 0 });

async function statesOf({ deps }: World): Promise<readonly AuthorityState[]> {
  const all = [...(await deps.fleet.authorities())];
  return all.sort((a, b) => a.issuedAt.getTime() - b.issuedAt.getTime()).map(({ state }) => state);
}

async function hours(world: World, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    world.clock.advance(HOUR_MS + MINUTE_MS);
    await world.tick();
  }
}

describe('47 an operator leads the authorities’ life by hand', () => {
  test('47 prepares the next one, once, and it signs when it is forced to, or everybody knows it', async () => {
    const { world, authorityId } = await start();
    const { deps, run } = world;
    world.clock.advance(HOUR_MS);
    const next = await prepareByHand(deps, run);
    assert.deepEqual([next.state, (await prepareByHand(deps, run)).id], ['Prepared', next.id]);
    await assert.rejects(activateByHand(deps, run, next.id, false), (error: Error) =>
      /7 of 7 agents have not acknowledged it/.test(error.message),
    );
    assert.deepEqual(await statesOf(world), ['Active', 'Prepared']);
    const plan = await planActivation(deps, next.id);
    assert.deepEqual(
      plan.affected.map(({ name }) => name),
      ['CAPH', 'CertManager', 'CloudAgent', 'CloudOperator', 'CloudProvider', 'CSI', 'KMS', 'KVA'],
    );
    assert.deepEqual(plan.blockedBy.length, 2);
    const active = await activateByHand(deps, run, next.id, true);
    assert.equal(active.state, 'Active');
    assert.deepEqual((await activateByHand(deps, run, next.id, false)).activatedAt, active.activatedAt);
    assert.deepEqual(await statesOf(world), ['Retiring', 'Active']);
    const { status, items } = await listAuthorities(deps);
    assert.deepEqual([status, items.map(({ census }) => census?.leaves.live)], ['Overlap', [8, 0]]);
    for (const wrong of [
      activateByHand(deps, run, authorityId, true),
      cancelByHand(deps, run, authorityId),
    ]) {
      await assert.rejects(wrong, { code: 'StateConflict' });
    }
    await assert.rejects(cancelByHand(deps, run, 'a1a1a1a1'), { code: 'NotFound' });
  });

  test('47 cancels one that has never signed, and the roll says what is left to do', async () => {
    const { world } = await start();
    const { deps, run } = world;
    world.clock.advance(HOUR_MS);
    const { id } = await prepareByHand(deps, run);
    await assert.rejects(taintByHand(deps, run, id, 'lost'), { code: 'StateConflict' });
    const due = (await planRollNow(deps)).done.map(({ action }) => action);
    assert.deepEqual(due, ['publish']);
    const { done, left } = await rollNow(deps, run);
    assert.deepEqual(
      [done.map(({ action }) => action), left.map(({ action }) => action)],
      [['publish'], ['activate']],
    );
    assert.deepEqual(
      left.map(({ blockedBy }) => blockedBy.length),
      [2],
    );
    assert.equal((await cancelByHand(deps, run, id)).state, 'Retired');
    assert.equal((await cancelByHand(deps, run, id)).state, 'Retired');
    await assert.rejects(activateByHand(deps, run, id, true), { code: 'StateConflict' });
    assert.deepEqual(await statesOf(world), ['Active', 'Retired']);
  });
});

describe('47 of two operators at once', () => {
  test('47 the one whose authority the other gave up is not told that it signs', async () => {
    const { world } = await start();
    const { deps, run } = world;
    world.clock.advance(HOUR_MS);
    const { id } = await prepareByHand(deps, run);
    const meanwhile = interceptPorts(deps, async ({ method }, proceed) => {
      if (method === 'putCensus') await cancelByHand(deps, run, id);
      return proceed();
    });
    await assert.rejects(activateByHand(meanwhile, run, id, true), { code: 'StateConflict' });
    assert.deepEqual(await statesOf(world), ['Active', 'Retired']);
  });

  test('47 the one that pauses a taint is told when the other has revoked the authority', async () => {
    const { world, authorityId } = await start();
    const { deps, run } = world;
    await taintByHand(deps, run, authorityId, 'lost');
    const meanwhile = interceptPorts(deps, async ({ port, method }, proceed) => {
      if (`${port}.${method}` === 'identities.commit') await revokeByHand(deps, run, authorityId, true);
      return proceed();
    });
    await assert.rejects(pauseTaint(meanwhile, run, authorityId), { code: 'StateConflict' });
  });
});

test('47 an authority that an operator pauses while the timer is about to revoke it stays', async () => {
  const { world } = await start();
  const { deps, run } = world;
  const { id } = await prepareByHand(deps, run);
  await activateByHand(deps, run, id, true);
  await taintByHand(deps, run, id, 'lost');
  world.clock.advance(HOUR_MS);
  let isPaused = false;
  const meanwhile = interceptPorts(deps, async ({ port, method }, proceed) => {
    if (`${port}.${method}` === 'identities.commit' && !isPaused) {
      isPaused = true;
      await pauseTaint(deps, run, id);
    }
    return proceed();
  });
  await rollNow(meanwhile, run);
  assert.deepEqual([isPaused, (await deps.fleet.authority(id))?.value.state], [true, 'Tainted']);
});

describe('47 what a tainted authority signed', () => {
  test('47 is not given out again, and a line that it began goes on after it was revoked', async () => {
    const { world, authorityId } = await start();
    const { deps, run } = world;
    const token = await tokenFromLoginFile(world, NODE_AGENT);
    const first = await firstCertificate(world);
    const second = await logIn(world, token, requestOf(NODE_AGENT, 'other'));
    const other = holding(NODE_AGENT, second, keyPair('P-256', 'other'));
    const asked = await renew(world, first, 'next');
    await taintByHand(deps, run, authorityId, 'lost');
    // The same requests within ten minutes, which were answered with certificates of the tainted authority before.
    const repeated = await renew(world, first, 'next');
    assert.notEqual(repeated.answer.serialNumber, asked.answer.serialNumber);
    const again = await logIn(world, token, requestOf(NODE_AGENT, 'node'));
    assert.notEqual(again.serialNumber, first.answer.serialNumber);
    assert.notEqual(
      again.chain,
      '',
      'who knows the tainted one alone accepts its successor by the cross certificate',
    );
    await assert.rejects(revokeByHand(deps, run, authorityId, false), { code: 'StateConflict' });
    assert.equal((await planRevocation(deps, authorityId)).affected.length, 9);
    assert.equal((await revokeByHand(deps, run, authorityId, true)).state, 'Revoked');
    assert.equal((await revokeByHand(deps, run, authorityId, false)).state, 'Revoked');
    await assert.rejects(pauseTaint(deps, run, authorityId), { code: 'StateConflict' });
    // The key of the line is its agent's own, and the record knows the certificate by its bytes.
    const next = await renew(world, other, 'other, next');
    await show(world, next);
    assertTrusted(next.certificate, next.answer.caBundle, world.clock.now());
    assert.equal(next.answer.instance, other.answer.instance);
  });

  test('47 is replaced replica by replica: who renews first does not speak for the others', async () => {
    const { world, authorityId } = await start();
    const { deps, run } = world;
    const token = await tokenFromLoginFile(world, NODE_AGENT);
    const one = await firstCertificate(world, 'one');
    await logIn(world, token, requestOf(NODE_AGENT, 'two'));
    const { id } = await taintByHand(deps, run, authorityId, 'lost');
    await hours(world, 2);
    await show(world, await renew(world, one, 'one, next'));
    const item = (await look(world, id)).items.find(({ item: { name } }) => name === 'NodeAgent');
    assert.equal(item?.progress.state, 'queued');
    await hours(world, 2);
    const later = (await look(world, id)).items.find(({ item: { name } }) => name === 'NodeAgent');
    assert.deepEqual([later?.progress.state, later?.progress.nextStep?.action], ['waiting', 'agent-renew']);
    assert.equal((await look(world, id)).counts.done, 8);
  });
});

describe('47 a taint', () => {
  test('47 stands though the vault is out, and the timer goes on with it', async () => {
    const { world, authorityId } = await start();
    const { run } = world;
    let isOut = true;
    const deps = refuseCalls(
      world.deps,
      ({ port }) => port === 'authorityVault',
      () => isOut,
    );
    const operation = await taintByHand(deps, run, authorityId, 'lost');
    assert.equal(operation.kind, 'taint');
    assert.equal((await look(world, operation.id)).state, 'queued');
    await assert.rejects(revokeByHand(deps, run, authorityId, true), /no other authority signs yet/);
    await assert.rejects(
      logIn(world, await tokenFromLoginFile(world, NODE_AGENT), requestOf(NODE_AGENT, 'x')),
      {
        code: 'NotReady',
      },
    );
    isOut = false;
    await hours(world, 4);
    assert.deepEqual([...(await statesOf(world))].sort(), ['Active', 'Revoked']);
    assert.equal((await look(world, operation.id)).state, 'succeeded');
  });

  test('47 of a retiring authority, or of one that everybody is learning of, stops nobody from issuing', async () => {
    const { world, authorityId } = await start();
    const { deps, run } = world;
    world.clock.advance(HOUR_MS);
    const { id } = await prepareByHand(deps, run);
    await activateByHand(deps, run, id, true);
    await taintByHand(deps, run, authorityId, 'lost');
    await pauseTaint(deps, run, authorityId);
    await hours(world, 3);
    assert.deepEqual(await statesOf(world), ['Tainted', 'Active']);
    await resumeTaint(deps, run, authorityId);
    await hours(world, 4);
    assert.deepEqual(await statesOf(world), ['Revoked', 'Active']);
    // The second one was vouched for by the first: tainted in its turn, that certificate has to go as well.
    await taintByHand(deps, run, id, 'lost too');
    await hours(world, 5);
    const all = await deps.fleet.authorities();
    assert.equal(crossCrlLines(all, authorityId).length, 1);
    assert.deepEqual(chainOf(all, id, world.clock.now()), []);
    await assert.rejects(planTaint(deps, id), { code: 'StateConflict' });
    world.clock.advance(DAY_MS);
    assert.equal((await listAuthorities(deps)).items.length, 3);
  });
});
