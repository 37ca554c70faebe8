/**
 * 30 A year in the life of a fleet: a management cluster, three workload clusters with fifty kubelets each. The scan runs
 * once a day, the other timers more seldom still, which is less than in any deployment; the agents act at moments of
 * their own.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLEET_CHAIN } from '../../shared/domain/audit.ts';
import { DAY_MS } from '../../shared/domain/instants.ts';
import {
  identityText,
  vaultCertificateName,
  vaultResponderName,
  vaultTokenName,
} from '../../shared/domain/names.ts';
import { readTrustBundle } from '../../shared/use-cases/authorities.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { reconcile } from '../../shared/use-cases/reconcile.ts';
import { runTimer } from '../../shared/use-cases/run-timer.ts';
import { sealAudit } from '../../shared/use-cases/seal-audit.ts';
import { management, tokenFromLoginFile } from '../support/agent.ts';
import { status } from '../support/agent-fleet.ts';
import { create } from '../support/clusters.ts';
import { HonestAgent } from '../support/honest-agent.ts';
import { allCertificates, allIdentities, assertWhole } from '../support/inspect-world.ts';
import { interceptPorts } from '../support/intercepted-ports.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';
import { readyKeys } from '../support/ready-keys.ts';
import { assertTrusted } from '../support/trust.ts';

const CLUSTERS = ['alpha', 'beta', 'gamma'] as const;
const NODES = Array.from({ length: 50 }, (_, i) => `n${i + 1}`);
/**
 * The authority lives 365 days, and on its last day nothing is issued any more: a successor is the story of another
 * part. Four days before its end even a daily tick is in time for what is left of a certificate's life.
 */
const LAST_DAY = 361;
const VAULT_CLIENTS = 8 + CLUSTERS.length * 4;
/** RSA keys that the vault hands out in turn: making them is not what this is about. */
const KEYS = 29;

/** The world, and how often each call of a vault was made so far. */
function countedWorld(): { world: World; calls: Map<string, number> } {
  const calls = new Map<string, number>();
  const plain = memoryWorld({}, readyKeys(KEYS));
  const deps = interceptPorts(plain.deps, ({ port, method }, proceed) => {
    if (/vault|secrets|signer|crlFiles/i.test(port)) {
      calls.set(`${port}.${method}`, (calls.get(`${port}.${method}`) ?? 0) + 1);
    }
    return proceed();
  });
  return { world: { ...plain, deps, tick: () => plain.tick(deps) }, calls };
}

async function everyAgent(world: World): Promise<readonly HonestAgent[]> {
  const agents = [];
  for (const name of ['NodeAgent', 'Mocctl']) {
    const id = management(name);
    agents.push(new HonestAgent(world, id, await tokenFromLoginFile(world, id), { checkInDays: 90 }));
  }
  for (const name of CLUSTERS) {
    const { loginFiles } = await create(world, { name, nodes: NODES });
    // One cluster's nodes prove their keys as the cloud agent's own clients do.
    const proof = name === 'beta' ? 'csr' : 'jws';
    for (const file of loginFiles) {
      const id = { cluster: file.cluster, name: file.name };
      agents.push(new HonestAgent(world, id, file.token.reveal(), { proof, checkInDays: 90 }));
    }
  }
  return agents;
}

function assertAlive({ id, held, tokenEnd }: HonestAgent, now: Date): void {
  assert.ok(Date.parse(held.answer.notAfter) >= now.getTime(), `${identityText(id)}: certificate expired`);
  assert.ok(tokenEnd >= now, `${identityText(id)}: token expired`);
}

/** What the clients of the vaults find there: in force, trusted, and of the token the same. */
async function assertVaultAlive(world: World, verified: Set<string>): Promise<void> {
  const now = world.clock.now();
  const bundle = (await readTrustBundle(world.deps)).pem;
  for (const identity of await allIdentities(world)) {
    if (identity.delivery !== 'vault') continue;
    const current = await world.clientVault.current(vaultCertificateName(identity));
    assert.ok(current !== null && identity.certificate.head !== null);
    assert.ok(identity.certificate.head.notAfter >= now, `${identityText(identity)}: certificate expired`);
    assert.ok(identity.token.expiresAt >= now, `${identityText(identity)}: token expired`);
    if (!verified.has(current.version)) assertTrusted(current.der, bundle, now);
    verified.add(current.version);
  }
}

/** Lets the agents act until that moment, each when it has something to do. */
async function letAgentsAct(world: World, agents: readonly HonestAgent[], until: Date): Promise<void> {
  const due = agents.filter(({ nextAt }) => nextAt <= until);
  due.sort((a, b) => a.nextAt.getTime() - b.nextAt.getTime());
  for (const agent of due) {
    const wait = agent.nextAt.getTime() - world.clock.now().getTime();
    if (wait > 0) world.clock.advance(wait);
    assertAlive(agent, world.clock.now());
    await agent.wake();
  }
  world.clock.advance(until.getTime() - world.clock.now().getTime());
}

/** The vaults do what the story needs and nothing else: no key, signature or secret is made in vain. */
async function assertBudget(world: World, calls: Map<string, number>, mostInADay: number): Promise<void> {
  const certificates = await allCertificates(world);
  const identities = await allIdentities(world);
  const inVault = identities.filter(({ delivery }) => delivery === 'vault');
  const versions = inVault.flatMap((one) => world.clientVault.versions(vaultCertificateName(one)));
  const tokens = inVault.flatMap((one) => world.clientSecrets.versions(vaultTokenName(one)));
  let checkpoints = 0;
  for (const chain of ['management', ...CLUSTERS, FLEET_CHAIN]) {
    checkpoints += (await world.checkpoints.list(chain)).length;
  }
  assert.equal(inVault.length, VAULT_CLIENTS);
  assert.equal(calls.get('clientVault.request'), versions.length);
  assert.equal(calls.get('clientVault.merge'), versions.length);
  assert.ok(versions.length <= VAULT_CLIENTS * 15, `${versions.length} keys in a year`);
  assert.ok(mostInADay <= VAULT_CLIENTS, `${mostInADay} keys in one day`);
  // One signature for each certificate, the authorities' own, their cross certificates and their responders' among them, one
  // for each checkpoint, and one for each list.
  const authorities = await world.deps.fleet.authorities();
  const ofAuthorities = authorities.flatMap(({ crossCertificates }) => [null, ...crossCertificates]).length;
  const ofResponders = authorities.flatMap(({ id }) => world.authorityVault.versions(vaultResponderName(id)));
  const lists = calls.get('crlFiles.put') ?? 0;
  const signed = certificates.length + ofAuthorities + ofResponders.length;
  assert.equal(calls.get('signer.sign'), signed + checkpoints + lists);
  assert.ok(certificates.length <= identities.length * 15, `${certificates.length} certificates in a year`);
  // Every bundle is a secret there as well.
  const bundles = await world.deps.fleet.bundles();
  assert.equal(calls.get('clientSecrets.write'), tokens.length + bundles.length);
  // The rotation key is read for a new token, and for nothing that an agent does otherwise.
  const made = identities.reduce((sum, { token }) => sum + token.generation + 1, 0);
  assert.ok((calls.get('authoritySecrets.read') ?? 0) <= made);
}

test('30 in a year of daily ticks no credential of a fleet of 172 ever expires, and the vault is hardly busy', async () => {
  const { world, calls } = countedWorld();
  await firstStart(world.deps, world.run);
  const agents = await everyAgent(world);
  await world.tick();
  assert.equal(agents.length, 2 + CLUSTERS.length * NODES.length);
  for (const agent of agents) await agent.wake();

  const verified = new Set<string>();
  const keysMade = () => calls.get('clientVault.request') ?? 0;
  let mostInADay = 0;
  for (let day = 1; day <= LAST_DAY; day++) {
    const before = keysMade();
    const until = new Date(world.clock.now().getTime() + DAY_MS);
    await letAgentsAct(world, agents, until);
    for (const agent of agents) assertAlive(agent, until);
    await assertVaultAlive(world, verified);
    await world.tick();
    if (day % 7 === 0) await runTimer(world.deps, world.run, 'seal-audit', sealAudit);
    if (day % 30 === 0) await runTimer(world.deps, world.run, 'reconcile', reconcile);
    mostInADay = Math.max(mostInADay, keysMade() - before);
  }
  await assertWhole(world);
  await assertBudget(world, calls, mostInADay);
  const { byState } = (await status(world)).totals;
  const { Healthy, Due, WaitingForAgent, ...others } = byState;
  assert.equal(Healthy + Due + WaitingForAgent, agents.length + VAULT_CLIENTS);
  assert.ok(Object.values(others).every((count) => count === 0));
  // The token that an agent has not needed since its first day is good, and so is its key.
  for (const agent of agents.slice(0, 20)) await agent.takeLoginFile(agent.token);
});
