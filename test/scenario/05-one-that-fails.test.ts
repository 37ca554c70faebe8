import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/domain/instants.ts';
import { vaultCertificateName, vaultTokenName } from '../../shared/domain/names.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { getStatus, type Status } from '../../shared/use-cases/get-status.ts';
import type { IdentityStatus } from '../../shared/use-cases/judge-identity.ts';
import { identityOf, KMS } from '../support/agent.ts';
import { refuseCalls } from '../support/faults.ts';
import { allIdentities, assertWhole } from '../support/inspect-world.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';

/** A vault that does not answer for the one name, until it is mended. */
function brokenFor(world: World, name: string): { deps: Deps; mend(): void } {
  let isBroken = true;
  const deps = refuseCalls(
    world.deps,
    ({ port, args }) => port.startsWith('client') && args[0] === name,
    () => isBroken,
  );
  return {
    deps,
    mend: () => {
      isBroken = false;
    },
  };
}

function statusOf(world: World): Promise<Status> {
  return getStatus(world.deps, { cluster: null, state: null, limit: 500, cursor: null });
}

function kmsIn(status: Status): IdentityStatus {
  const found = status.identities.find(({ identity }) => identity.name === 'KMS');
  assert.ok(found !== undefined);
  return found;
}

test('05 a client that the vault refuses does not stop the others from being renewed', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  const { deps } = brokenFor(world, vaultCertificateName(KMS));
  world.clock.advance(46 * DAY_MS);
  await world.tick(deps);
  for (const identity of await allIdentities(world)) {
    if (identity.delivery !== 'vault') continue;
    assert.equal(identity.certificate.generation, identity.name === 'KMS' ? 1 : 2, identity.name);
    assert.equal(identity.token.generation, 1);
  }
});

test('05 its failure is recorded with the next try, and status says what comes next', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  const { deps } = brokenFor(world, vaultCertificateName(KMS));
  world.clock.advance(46 * DAY_MS);
  const failedAt = world.clock.now();
  await world.tick(deps);

  const { failure, queuedAt } = (await identityOf(world, KMS)).certificate;
  assert.equal(queuedAt, null);
  assert.equal(failure?.code, 'VaultUnavailable');
  assert.equal(failure?.attempts, 1);
  assert.deepEqual(failure?.at, failedAt);
  const delay = (failure?.retryAt.getTime() ?? 0) - failedAt.getTime();
  assert.ok(delay >= 0 && delay < MINUTE_MS, `the first retry comes after ${delay} ms`);

  const status = await statusOf(world);
  const { state, nextStep } = kmsIn(status);
  assert.equal(state, 'Retrying');
  assert.equal(nextStep.action, 'wait');
  assert.match(nextStep.text, /failed 1 time\(s\), last with VaultUnavailable/);
  assert.equal(status.overall, 'warning');
  assert.deepEqual(status.reasons[0], {
    code: 'RenewalsFailing',
    text: 'identities wait for another try',
    count: 1,
  });
});

test('05 tries come no more often than the policy says: full jitter under a ceiling that doubles to six hours', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  // The greatest fraction there is, so that every wait is as long as it can be.
  const random = { ...world.deps.random, fraction: () => 1 - 2 ** -32 };
  const { deps } = brokenFor({ ...world, deps: { ...world.deps, random } }, vaultCertificateName(KMS));
  world.clock.advance(46 * DAY_MS);
  const waits: number[] = [];
  for (let attempt = 1; attempt <= 12; attempt++) {
    const before = world.clock.now().getTime();
    await world.tick(deps);
    const { failure } = (await identityOf(world, KMS)).certificate;
    assert.equal(failure?.attempts, attempt);
    const retryAt = failure?.retryAt.getTime() ?? 0;
    waits.push(Math.round((retryAt - before) / MINUTE_MS));
    // A tick just before the moment does nothing.
    world.clock.advance(Math.max(0, retryAt - before - 1));
    await world.tick(deps);
    assert.equal((await identityOf(world, KMS)).certificate.failure?.attempts, attempt);
    world.clock.advance(1);
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360]);
});

test('05 near the end of a credential tries come closer together: never later than a quarter of what is left', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  const random = { ...world.deps.random, fraction: () => 1 - 2 ** -32 };
  const { deps } = brokenFor({ ...world, deps: { ...world.deps, random } }, vaultCertificateName(KMS));
  world.clock.advance(46 * DAY_MS);
  for (let attempt = 0; attempt < 12; attempt++) {
    await world.tick(deps);
    world.clock.advance(6 * HOUR_MS);
  }
  const end = (await identityOf(world, KMS)).certificate.head?.notAfter.getTime() ?? 0;
  world.clock.advance(end - world.clock.now().getTime() - 2 * HOUR_MS);
  await world.tick(deps);
  const retryAt = (await identityOf(world, KMS)).certificate.failure?.retryAt.getTime() ?? 0;
  assert.equal(Math.round((retryAt - world.clock.now().getTime()) / MINUTE_MS), 30);
});

test('05 when the vault heals, so does the client, and nothing is left of the failure', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  const { deps, mend } = brokenFor(world, vaultCertificateName(KMS));
  world.clock.advance(46 * DAY_MS);
  for (let hour = 0; hour < 24; hour++) {
    await world.tick(deps);
    world.clock.advance(HOUR_MS);
  }
  assert.equal(kmsIn(await statusOf(world)).state, 'Retrying');
  mend();
  world.clock.advance(6 * HOUR_MS);
  await world.tick(deps);
  assert.equal((await identityOf(world, KMS)).certificate.failure, null);
  assert.equal(kmsIn(await statusOf(world)).state, 'Healthy');
  await assertWhole(world);
});

test('05 a token that cannot be delivered is tried again as the very same token', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  const { deps, mend } = brokenFor(world, vaultTokenName(KMS));
  world.clock.advance(46 * DAY_MS);
  await world.tick(deps);
  const failed = await identityOf(world, KMS);
  assert.equal(failed.token.failure?.code, 'VaultUnavailable');
  assert.equal(failed.token.generation, 1);
  mend();
  world.clock.advance(HOUR_MS);
  await world.tick(deps);
  const healed = await identityOf(world, KMS);
  assert.equal(healed.token.id, failed.token.id);
  assert.equal(healed.token.failure, null);
  await assertWhole(world);
});

test('05 a client that the vault refuses at the first start is named, and a later one makes up for it', async () => {
  const world = memoryWorld();
  const { deps, mend } = brokenFor(world, vaultCertificateName(KMS));
  assert.deepEqual(
    (await firstStart(deps, world.run)).map(({ name }) => name),
    ['KMS'],
  );
  assert.equal(kmsIn(await statusOf(world)).state, 'Retrying');
  assert.equal((await world.deps.fleet.deployment())?.value.readyAt, null);
  mend();
  assert.deepEqual(await firstStart(deps, world.run), []);
  assert.notEqual((await world.deps.fleet.deployment())?.value.readyAt, null);
  await assertWhole(world);
});

test('05 what expired for want of a vault is critical in status', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  const { deps } = brokenFor(world, vaultCertificateName(KMS));
  for (let day = 0; day < 91; day++) {
    world.clock.advance(DAY_MS);
    await world.tick(deps);
  }
  const status = await statusOf(world);
  assert.equal(kmsIn(status).state, 'CertificateExpired');
  assert.equal(status.overall, 'critical');
  assert.equal(status.reasons[0]?.code, 'IdentitiesExpired');
});

test('05 a token that the vault cannot take does not hide that the one before it has ended', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  const { deps, mend } = brokenFor(world, vaultTokenName(KMS));
  for (let day = 0; day < 91; day++) {
    world.clock.advance(DAY_MS);
    await world.tick(deps);
  }
  const kms = kmsIn(await statusOf(world));
  assert.ok(kms.identity.token.expiresAt > world.clock.now(), 'the successor waits for delivery');
  assert.equal(kms.state, 'TokenExpired');

  mend();
  world.clock.advance(7 * HOUR_MS);
  await world.tick(deps);
  const healed = kmsIn(await statusOf(world));
  assert.equal(healed.state, 'Healthy');
  assert.ok(healed.identity.token.rotateAfter > world.clock.now(), 'what is delivered is not due at once');
});

test('05 a scan that finds another one at work is no success of its own', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  const lease = await world.deps.leases.acquire('renew-due', 60);
  await world.tick();
  assert.equal((await statusOf(world)).timers[0]?.lastSuccessAt, null);
  await lease?.release();
  await world.tick();
  assert.notEqual((await statusOf(world)).timers[0]?.lastSuccessAt, null);
});
