/** 46 A rollover that nobody notices: the authority is followed by the next one while everybody goes on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, HOUR_MS } from '../../shared/domain/instants.ts';
import { VAULT_BUNDLE_NAME, vaultCertificateName } from '../../shared/domain/names.ts';
import { readActiveAuthority, readAuthorities, readTrustBundle } from '../../shared/use-cases/authorities.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { getPlan } from '../../shared/use-cases/get-plan.ts';
import { getStatus } from '../../shared/use-cases/get-status.ts';
import { logInWithToken } from '../../shared/use-cases/log-in-with-token.ts';
import { publishCrl } from '../../shared/use-cases/publish-crl.ts';
import { rollAuthority } from '../../shared/use-cases/roll-authority.ts';
import { runTimer } from '../../shared/use-cases/run-timer.ts';
import { identityOf, KMS, management, tokenFromVault } from '../support/agent.ts';
import { refuseCalls } from '../support/faults.ts';
import { fleetEvents } from '../support/fleet-events.ts';
import { allIdentities, assertWhole } from '../support/inspect-world.ts';
import { interleave } from '../support/interleaving.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';
import { firstCertificate, type Held, renew } from '../support/proving-agent.ts';
import { assertAccepted } from '../support/trust.ts';

const CLOUD_AGENT = management('CloudAgent');

const roll = (world: World, deps = world.deps) =>
  runTimer(deps, world.run, 'roll-authority', rollAuthority).catch(() => undefined);

const status = (world: World) =>
  getStatus(world.deps, { cluster: null, state: null, limit: 100, cursor: null });

/** Days in which every client's certificate is renewed, and at whose end the roll's timer ticks. */
async function pass(world: World, days: number): Promise<void> {
  for (let left = days; left > 0; left -= 30) {
    world.clock.advance(Math.min(left, 30) * DAY_MS);
    await world.tick();
  }
  await roll(world);
  await publishCrl(world.deps, world.run);
  await roll(world);
}

/** The states of all authorities, the oldest first. */
async function states(world: World): Promise<string> {
  const { all } = await readAuthorities(world.deps);
  return [...all]
    .sort((a, b) => a.issuedAt.getTime() - b.issuedAt.getTime())
    .map(({ state }) => state)
    .join(' ');
}

/** A client of the vault logs in and names the bundle that it holds. */
async function name(world: World, id = KMS, bundleId?: string) {
  const named = bundleId ?? (await readTrustBundle(world.deps)).id;
  const token = tokenFromVault(world, id);
  return logInWithToken(world.deps, world.run, { token, csr: null, bundleId: named });
}

/** At half of the first authority's life, with one agent that keeps its own key. */
async function halfway(): Promise<{ world: World; agent: Held }> {
  const world = memoryWorld({ tokenValidityDays: 365 });
  await firstStart(world.deps, world.run);
  await pass(world, 150);
  const agent = await firstCertificate(world);
  await pass(world, 32);
  return { world, agent };
}

test('46 with everybody’s word the next one signs early, and all are accepted by old and new bundles', async () => {
  const { world, agent } = await halfway();
  const old = await readTrustBundle(world.deps);
  assert.equal(await states(world), 'Active');
  await pass(world, 1);
  assert.equal(await states(world), 'Active Published');
  const { authority, reasons } = await status(world);
  assert.equal(authority.status, 'Overlap');
  assert.ok(authority.nextId !== null && authority.nextId !== authority.activeId);
  assert.ok(
    !reasons.some(({ code }) => /Authority|Bundle/.test(code)),
    'what comes in its time is no trouble',
  );
  const both = await readTrustBundle(world.deps);
  assert.equal(world.clientSecrets.versions(VAULT_BUNDLE_NAME).at(-1)?.value.reveal(), both.pem);

  const warned = await name(world, KMS, old.id);
  assert.match(warned.warnings.join(), /install caBundle/);
  assert.deepEqual((await name(world, KMS)).warnings, []);
  await name(world, CLOUD_AGENT);
  await roll(world);
  const [waiting] = (await getPlan(world.deps, { at: null, cluster: null, limit: 9, offset: 0 })).entries;
  assert.equal(waiting?.action, 'none');
  assert.match(waiting?.text ?? '', /^activate authority .* 7 of 8 agents have not acknowledged it, until/);

  for (const { delivery, cluster, name: client } of await allIdentities(world)) {
    if (delivery === 'vault') await name(world, { cluster, name: client });
  }
  const renewed = await renew(world, agent, 'node', world.deps, both.id);
  await roll(world);
  assert.equal(await states(world), 'Retiring Active');
  const next = await readActiveAuthority(world.deps);
  assert.equal(next.id, authority.nextId);

  await pass(world, 46);
  const now = world.clock.now();
  const { head } = (await identityOf(world, KMS)).certificate;
  assert.equal(head?.authorityId, next.id);
  const pem = world.clientVault.pem(vaultCertificateName(KMS));
  assert.equal(
    pem.match(/BEGIN CERTIFICATE/g)?.length,
    2,
    'the leaf and its cross certificate, in this order',
  );
  const { answer } = await renew(world, renewed, 'node', world.deps, old.id);
  for (const sent of [pem, answer.certificate + answer.chain]) {
    for (const bundle of [old.pem, both.pem]) assertAccepted(sent, bundle, now);
  }
  assert.match(answer.warnings.join(), /install caBundle/);

  await pass(world, 45);
  assert.equal(await states(world), 'Retired Active');
  const last = await status(world);
  assert.deepEqual([last.authority.status, last.authority.nextId], ['Single', null]);
  const [retired] = (await readAuthorities(world.deps)).all.filter(({ state }) => state === 'Retired');
  assert.ok(retired?.keyDisabledAt);
  assert.deepEqual(await world.authorityVault.enabledVersions(`authority--${retired.id}`), []);
  await assertWhole(world);
  // The second year begins as the first did.
  await pass(world, 92);
  assert.equal(await states(world), 'Retired Active Published');
});

test('46 with nobody’s word it signs on its last day, and the event names those that do not know it', async () => {
  const { world } = await halfway();
  await pass(world, 92);
  assert.equal(await states(world), 'Active Published');
  const before = (await status(world)).reasons.find(({ code }) => code === 'BundleNotAcknowledged');
  assert.equal(before?.count, 8, 'of eight clients and the agent, whose certificate has ended');
  await pass(world, 1);
  assert.equal(await states(world), 'Retiring Active');
  const event = (await fleetEvents(world)).findLast(({ type }) => type === 'authority-activated');
  assert.equal(event?.details['isForced'], true);
  assert.equal(event?.details['verifiersMissing'], 1);
  assert.equal(event?.details['agentsMissing'], 7);
  assert.match(String(event?.details['missing']), /^management\/CloudAgent .*management\/KMS/);
});

test('46 while a vault is out nothing is lost: each step is taken when it is back', async () => {
  const { world } = await halfway();
  const without = (port: string) => refuseCalls(world.deps, (call) => call.port === port);
  world.clock.advance(DAY_MS);
  for (const port of ['authorityVault', 'signer']) {
    await roll(world, without(port));
    assert.match(await states(world), /^Active( Creating)?$/);
    world.clock.advance(DAY_MS);
  }
  await roll(world, without('clientSecrets'));
  assert.equal(await states(world), 'Active Published');
  const { reasons } = await status(world);
  assert.equal(reasons.find(({ code }) => code === 'BundleNotDelivered')?.count, 1);
  // The scan does not wait for the roll's own timer.
  await world.tick();
  assert.ok(!(await status(world)).reasons.some(({ code }) => code === 'BundleNotDelivered'));
  assert.equal((await readAuthorities(world.deps)).all.length, 2, 'no try has left one behind');
});

test('46 two rolls at once that both hold the lease make one successor, and it signs once', async () => {
  for (let seed = 1; seed <= 2; seed++) {
    const { world } = await halfway();
    const deps: Deps = { ...world.deps, leases: { acquire: async () => ({ release: async () => {} }) } };
    for (const days of [1, 92]) {
      world.clock.advance(days * DAY_MS);
      const both = [rollAuthority, rollAuthority].map((act) => (used: Deps) => act(used, world.run));
      await interleave(deps, seed, both);
      await roll(world);
    }
    assert.equal(await states(world), 'Retiring Active', `order ${seed}`);
    const { value } = (await world.deps.fleet.deployment()) ?? {};
    const { bundle, active } = await readAuthorities(world.deps);
    assert.deepEqual(
      [value?.activeAuthorityId, value?.nextAuthorityId, value?.deliveredBundleId],
      [active?.id, null, bundle.id],
    );
    assert.equal(world.clientSecrets.versions(VAULT_BUNDLE_NAME).at(-1)?.value.reveal(), bundle.pem);
    assert.ok((await world.deps.fleet.bundles()).some(({ id }) => id === bundle.id));
  }
});

test('46 after a year without any timer one tick makes an authority, and renews what it can', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  world.clock.advance(400 * DAY_MS);
  await world.tick();
  assert.equal(await states(world), 'Retired Active');
  const { head } = (await identityOf(world, KMS)).certificate;
  assert.equal(head?.authorityId, (await readActiveAuthority(world.deps)).id);
  assertAccepted(
    world.clientVault.pem(vaultCertificateName(KMS)),
    (await readTrustBundle(world.deps)).pem,
    world.clock.now(),
  );
  world.clock.advance(HOUR_MS);
  await world.tick();
  await assertWhole(world);
});
