/** A rule that is made while a certificate is being issued: no transaction holds it, and it wins all the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR_MS } from '../../shared/domain/instants.ts';
import type { Change } from '../../shared/ports/identity-store.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { doWork } from '../../shared/use-cases/do-work.ts';
import { createRevocationRule, deleteRevocationRule } from '../../shared/use-cases/revocation-rules.ts';
import { revoke } from '../../shared/use-cases/revoke.ts';
import { identityOf, KMS, logIn, NODE_AGENT, requestOf, tokenFromLoginFile } from '../support/agent.ts';
import { allCertificates, assertDueRows } from '../support/inspect-world.ts';
import { interceptPorts } from '../support/intercepted-ports.ts';
import type { World } from '../support/memory-world.ts';
import { startedWorld } from '../support/operator-actions.ts';
import { firstCertificate, renew, show } from '../support/proving-agent.ts';

const ruled = { code: 'Revoked', details: { reason: 'rule-revoked' } };

/** Ports of which the first transaction with a certificate is held up until a rule for the whole cluster stands. */
function ruleMeanwhile(world: World): { deps: Deps; rules: string[] } {
  const rules: string[] = [];
  const deps = interceptPorts(world.deps, async ({ port, method, args }, proceed) => {
    const isIssuing =
      port === 'identities' &&
      method === 'commit' &&
      (args[1] as readonly Change[]).some(({ kind }) => kind === 'certificate');
    if (isIssuing && rules.length === 0) {
      const criteria = { clientType: null, cluster: 'management', dnsName: null, issuedBefore: null };
      rules.push((await createRevocationRule(world.deps, world.run, criteria, 'unspecified')).id);
    }
    return proceed();
  });
  return { deps, rules };
}

/** Takes the rules back, and tells which certificates are revoked by their serial numbers for good. */
async function takeBack(world: World, rules: readonly string[], id = NODE_AGENT) {
  for (const rule of rules) await deleteRevocationRule(world.deps, world.run, rule);
  const revocations = await world.deps.identities.revocations(id);
  return revocations.map(({ serialNumber }) => serialNumber);
}

test('20 a renewal during which a rule is made is refused, and its certificate stays revoked', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world);
  const { deps, rules } = ruleMeanwhile(world);
  await assert.rejects(renew(world, first, 'next', deps), ruled);
  const revoked = await takeBack(world, rules);
  assert.deepEqual([revoked.length, revoked.includes(first.answer.serialNumber)], [1, false]);
  const { head } = (await identityOf(world, NODE_AGENT)).certificate;
  assert.equal(head?.serialNumber, first.answer.serialNumber, 'the record is back at what the agent has');
  await show(world, await renew(world, first, 'next'));
  await assertDueRows(world);
});

test('20 a login during which a rule is made is refused, and its certificate stays revoked', async () => {
  const world = await startedWorld();
  const token = await tokenFromLoginFile(world, NODE_AGENT);
  const { deps, rules } = ruleMeanwhile(world);
  await assert.rejects(logIn(world, token, requestOf(NODE_AGENT, 'node'), deps), ruled);
  const [serialNumber, ...more] = await takeBack(world, rules);
  assert.deepEqual(more, []);
  const answer = await logIn(world, token, requestOf(NODE_AGENT, 'node'));
  assert.notEqual(answer.serialNumber, serialNumber);
  await assertDueRows(world);
});

test('20 a renewal in the vault during which a rule is made puts nothing in force', async () => {
  const world = await startedWorld();
  const { head, generation } = (await identityOf(world, KMS)).certificate;
  const what = { instance: null, serialNumber: head?.serialNumber ?? '' };
  await revoke(world.deps, world.run, KMS, what, 'superseded');
  const { deps, rules } = ruleMeanwhile(world);
  await doWork(deps, world.run, { v: 1, identity: KMS, kind: 'certificate', generation });
  const held = (await identityOf(world, KMS)).certificate;
  assert.deepEqual([held.generation, held.failure?.code, held.attempt], [generation, 'Revoked', null]);
  await takeBack(world, rules, KMS);
  world.clock.advance(7 * HOUR_MS);
  await world.tick();
  const after = (await identityOf(world, KMS)).certificate;
  assert.equal(after.generation, generation + 1);
  const count = (await allCertificates(world)).filter(({ identity }) => identity.name === KMS.name).length;
  assert.equal(count, 3, 'what was recorded under the rule was given up');
});
