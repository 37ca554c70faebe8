/** 46 Who has acknowledged a bundle: everybody who holds a certificate speaks for himself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTrustBundle } from '../../shared/use-cases/authorities.ts';
import { countAcknowledgements } from '../../shared/use-cases/count-acknowledgements.ts';
import { logInWithToken } from '../../shared/use-cases/log-in-with-token.ts';
import { identityOf, management, requestOf, tokenFromVault } from '../support/agent.ts';
import { startedWorld } from '../support/operator-actions.ts';

const CLOUD_AGENT = management('CloudAgent');

test('46 a replica of a verifier does not speak for the one that reads the vault', async () => {
  const world = await startedWorld();
  const { deps, run } = world;
  const { id: bundleId } = await readTrustBundle(deps);
  const say = (csr: string | null) =>
    logInWithToken(deps, run, { token: tokenFromVault(world, CLOUD_AGENT), csr, bundleId });
  const verifiers = async () => {
    const [census] = await countAcknowledgements(deps);
    return census?.verifiers.acknowledged;
  };
  await say(requestOf(CLOUD_AGENT, 'replica'));
  assert.equal((await identityOf(world, CLOUD_AGENT)).acknowledgedBundleId, null);
  assert.equal(await verifiers(), 0);
  await say(null);
  assert.equal(await verifiers(), 1);
});
