import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkAccess } from '../../shared/use-cases/check-access.ts';
import { NODE_AGENT } from '../support/agent.ts';
import { startedWorld } from '../support/operator-actions.ts';
import { firstCertificate, type Held, renew, show } from '../support/proving-agent.ts';

test('27 access-check says no to a certificate of a locked instance, and to one that was replaced', async () => {
  const world = await startedWorld();
  const reason = async ({ answer: { certificate } }: Held) => {
    const question = { certificate, identity: null, action: 'status/read', scope: '/' };
    return (await checkAccess(world.deps, question)).reason;
  };
  const first = await firstCertificate(world);
  await show(world, first);
  const successor = await renew(world, first, 'node, next key');
  assert.match(await reason(first), /^No role/);
  assert.match(await reason(successor), /^No role/);
  await show(world, successor);
  assert.equal(await reason(first), 'A newer certificate has replaced this one.');
  assert.match(await reason(successor), /^No role/);
  const { identities } = world.deps;
  const line = await identities.instance(NODE_AGENT, first.answer.instance);
  assert.ok(line !== null);
  const value = { ...line.value, lockedAt: world.clock.now() };
  await identities.commit('management', [{ op: 'replace', kind: 'instance', value, etag: line.etag }]);
  assert.equal(await reason(successor), 'The instance that the certificate belongs to is locked.');
});
