import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientTemplate } from '../../shared/domain/identity.ts';
import { DAY_MS } from '../../shared/domain/instants.ts';
import { judgeIdentity, readDetails } from '../../shared/use-cases/judge-identity.ts';
import { addIdentity } from '../../shared/use-cases/manage-identity.ts';
import { identityOf, logIn, management, requestOf } from '../support/agent.ts';
import { rotate, startedWorld } from '../support/operator-actions.ts';

const NODE = management('node-1');
const TEMPLATE: ClientTemplate = {
  name: NODE.name,
  clientType: 'Node',
  delivery: 'agent',
  credentials: 'cloud',
};

test('25 a token that is used up is no trouble while the certificate lives, and then an operator makes another', async () => {
  const world = await startedWorld();
  const { deps, run, clock } = world;
  const wishes = { tokenMaxUses: 1, tokenExpiryInSeconds: 365 * 86_400 };
  const { loginFile } = await addIdentity(deps, run, NODE.cluster, TEMPLATE, wishes);
  const told = async () => {
    const judged = await judgeIdentity(deps, await identityOf(world, NODE), [], clock.now());
    const { state, nextStep, offlineDays } = await readDetails(
      ...([deps, judged, [], { currentId: '', deliveredTo: () => null }, clock.now()] as const),
    );
    return [`${state}: ${nextStep.action}`, offlineDays, nextStep.text];
  };
  await logIn(world, loginFile?.token.reveal() ?? '', requestOf(NODE, 'first'));
  assert.deepEqual((await told()).slice(0, 2), ['Healthy: none', 119], 'the certificate and its recovery');
  clock.advance(125 * DAY_MS);
  const text = 'Its token is used up: it needs a new token from an operator.';
  assert.deepEqual(await told(), ['BothExpired: operator-rotate', 0, text]);
  const { token } = await rotate(world, NODE);
  assert.equal((await told())[0], 'CertificateExpired: agent-login');
  await logIn(world, token.reveal(), requestOf(NODE, 'second'));
  assert.equal((await told())[0], 'Healthy: none');
});
