import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '../../shared/domain/instants.ts';
import { vaultCertificateName, vaultTokenName } from '../../shared/domain/names.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { doWork } from '../../shared/use-cases/do-work.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { renewDue } from '../../shared/use-cases/renew-due.ts';
import {
  certificateOf,
  identityOf,
  KMS,
  logIn,
  NODE_AGENT,
  requestOf,
  tokenFromLoginFile,
} from '../support/agent.ts';
import { assertWhole, takeInventory } from '../support/inspect-world.ts';
import { interleave } from '../support/interleaving.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';
import { startWorld } from '../support/started-world.ts';

/** Tries a story with many orders of its port calls; a failure names the seed that shows it again. */
async function inEveryOrder(seeds: number, story: (seed: number) => Promise<void>): Promise<void> {
  for (let seed = 1; seed <= seeds; seed++) {
    try {
      await story(seed);
    } catch (error) {
      throw new Error(`Seed ${seed}: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
  }
}

function allFulfilled<T>(results: readonly PromiseSettledResult<T>[]): T[] {
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

async function startedWorld(): Promise<World> {
  const world = memoryWorld();
  await startWorld(world);
  return world;
}

/** A world whose clients are all due, with nothing on the queue. */
async function dueWorld(): Promise<World> {
  const world = await startedWorld();
  world.clock.advance(46 * DAY_MS);
  return world;
}

test('07 two first starts at once make one authority, one rotation key in use and one certificate per client', async () => {
  const alone = await startedWorld();
  const expected = await takeInventory(alone);
  await inEveryOrder(30, async (seed) => {
    const world = memoryWorld();
    const start = (deps: Deps) => firstStart(deps, world.run);
    allFulfilled(await interleave(world.deps, seed, [start, start]));
    assert.equal((await world.deps.fleet.authorities()).length, 1);
    assert.deepEqual(await firstStart(world.deps, world.run), []);
    const { certificatesInForce, generations } = await takeInventory(world);
    assert.deepEqual(
      { certificatesInForce, generations },
      {
        certificatesInForce: expected.certificatesInForce,
        generations: expected.generations,
      },
    );
    // Every token follows from the one key that both settled on.
    for (const client of ['NodeAgent', 'Mocctl', 'KMS']) {
      await tokenFromLoginFile(world, { cluster: 'management', name: client });
    }
  });
});

test('07 two workers on one message make one new version and go on with it', async () => {
  await inEveryOrder(40, async (seed) => {
    const world = await dueWorld();
    const { generation } = (await identityOf(world, KMS)).certificate;
    const work = (deps: Deps) =>
      doWork(deps, world.run, { v: 1, identity: KMS, kind: 'certificate', generation });
    allFulfilled(await interleave(world.deps, seed, [work, work]));
    const { certificate } = await identityOf(world, KMS);
    const versions = world.clientVault.versions(vaultCertificateName(KMS));
    assert.equal(certificate.generation, generation + 1);
    assert.equal(certificate.failure, null);
    assert.equal(versions.length, 2);
    assert.equal(versions.at(-1)?.version, certificate.head?.vaultVersion);
  });
});

test('07 two workers on one token deliver one token', async () => {
  await inEveryOrder(40, async (seed) => {
    const world = await dueWorld();
    const { generation } = (await identityOf(world, KMS)).token;
    const work = (deps: Deps) => doWork(deps, world.run, { v: 1, identity: KMS, kind: 'token', generation });
    allFulfilled(await interleave(world.deps, seed, [work, work]));
    const { token } = await identityOf(world, KMS);
    assert.equal(token.generation, generation + 1);
    const values = world.clientSecrets.versions(vaultTokenName(KMS)).map(({ value }) => value.reveal());
    assert.equal(new Set(values).size, 2, 'the old token and one new one');
    await assertWhole(world);
  });
});

test('07 two scans at once put one message per credential on the queue, even when both hold the lease', async () => {
  await inEveryOrder(20, async (seed) => {
    const world = await dueWorld();
    const everybodyHolds = { acquire: async () => ({ release: async () => undefined }) };
    const scan = (deps: Deps) => renewDue({ ...deps, leases: everybodyHolds }, world.run);
    allFulfilled(await interleave(world.deps, seed, [scan, scan]));
    const messages = world.queue.takeAll().map(({ identity, kind }) => `${identity.name} ${kind}`);
    assert.equal(messages.length, 16);
    assert.equal(new Set(messages).size, 16);
  });
});

test('07 of two scans at once that respect the lease one leaves the work to the other', async () => {
  await inEveryOrder(20, async (seed) => {
    const world = await dueWorld();
    const scan = (deps: Deps) => renewDue(deps, world.run);
    const outcomes = allFulfilled(await interleave(world.deps, seed, [scan, scan]));
    assert.equal(world.queue.takeAll().length, 16);
    assert.ok(outcomes.some((outcome) => outcome?.queued === 16));
  });
});

test('07 of two equal logins at once one signs, and both get the same certificate', async () => {
  await inEveryOrder(40, async (seed) => {
    const world = await startedWorld();
    const token = await tokenFromLoginFile(world, NODE_AGENT);
    const csr = requestOf(NODE_AGENT, 'node');
    let signatures = 0;
    const signer = world.deps.signer;
    const counting: Deps = {
      ...world.deps,
      signer: {
        sign: (...args) => {
          signatures += 1;
          return signer.sign(...args);
        },
      },
    };
    const login = (deps: Deps) => logIn(world, token, csr, deps);
    const answers = allFulfilled(await interleave(counting, seed, [login, login, login]));
    assert.equal(new Set(answers.map(({ certificate }) => certificate)).size, 1);
    assert.equal(signatures, 1);
    await assertWhole(world, answers.map(certificateOf));
  });
});

test('07 two logins at once with different keys get two certificates in two instances', async () => {
  await inEveryOrder(40, async (seed) => {
    const world = await startedWorld();
    const token = await tokenFromLoginFile(world, NODE_AGENT);
    const answers = allFulfilled(
      await interleave(world.deps, seed, [
        (deps) => logIn(world, token, requestOf(NODE_AGENT, 'one replica'), deps),
        (deps) => logIn(world, token, requestOf(NODE_AGENT, 'another'), deps),
      ]),
    );
    assert.equal(new Set(answers.map(({ instance }) => instance)).size, 2);
    assert.equal(new Set(answers.map(({ serialNumber }) => serialNumber)).size, 2);
    assert.equal((await world.deps.identities.instances(NODE_AGENT)).length, 2);
    await assertWhole(world, answers.map(certificateOf));
  });
});

test('07 logins, renewals and rotations of one identity at once do not disturb each other', async () => {
  await inEveryOrder(40, async (seed) => {
    const world = await dueWorld();
    const token = await tokenFromLoginFile(world, KMS);
    const work = (kind: 'certificate' | 'token') => (deps: Deps) =>
      doWork(deps, world.run, { v: 1, identity: KMS, kind, generation: kind === 'token' ? 0 : 1 });
    allFulfilled(
      await interleave<unknown>(world.deps, seed, [
        work('certificate'),
        work('token'),
        (deps) => logIn(world, token, requestOf(KMS, 'a replica'), deps),
        (deps) => logIn(world, token, null, deps),
      ]),
    );
    const identity = await identityOf(world, KMS);
    assert.equal(identity.certificate.generation, 2);
    assert.equal(identity.token.generation, 1);
    assert.equal(identity.token.usedGeneration, 0);
    await assertWhole(world);
  });
});
