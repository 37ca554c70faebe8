import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHex } from '../../shared/domain/encoding.ts';
import type { CertificateAttempt } from '../../shared/domain/identity.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../shared/domain/instants.ts';
import { decodeToken } from '../../shared/domain/token.ts';
import { parseCertificateRequest } from '../../shared/pki/certificate-request.ts';
import { spkiHash } from '../../shared/pki/public-key.ts';
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
import { dieBefore, type Fault, loseAnswer } from '../support/faults.ts';
import { assertWhole, takeInventory } from '../support/inspect-world.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';

/** One thing that the product does, from a state to another, and what whoever asked for it does afterwards. */
interface Story {
  readonly title: string;
  /** Up to here every call is tried; behind it the same code runs for one client after the other, and samples do. */
  readonly everyCallUntil?: number;
  prepare(world: World): Promise<Scene>;
}

interface Scene {
  act(deps: Deps): Promise<unknown>;
  /** What happens afterwards, whether or not the act was cut short; answers certificates that left the product. */
  goOn(): Promise<readonly Uint8Array[]>;
}

/** Every hour the timer ticks; whatever failed, or whose message was lost, has come up again after these. */
async function hoursPass(world: World): Promise<void> {
  for (let hour = 0; hour < 8; hour++) {
    world.clock.advance(HOUR_MS + MINUTE_MS);
    await world.tick();
  }
}

const STORIES: readonly Story[] = [
  {
    title: 'the first start',
    // The authority, the identities, and the credentials of the first two clients.
    everyCallUntil: 120,
    prepare: async (world) => ({
      act: (deps) => firstStart(deps, world.run),
      goOn: async () => {
        assert.deepEqual(await firstStart(world.deps, world.run), []);
        return [];
      },
    }),
  },
  {
    title: 'a login',
    prepare: async (world) => {
      await firstStart(world.deps, world.run);
      const token = await tokenFromLoginFile(world, NODE_AGENT);
      const csr = requestOf(NODE_AGENT, 'node');
      return {
        act: (deps) => logIn(world, token, csr, deps),
        goOn: async () => {
          const begun = await loginAttempt(world, token, csr);
          // An attempt that nobody has finished is taken over after 30 seconds.
          world.clock.advance(31 * SECOND_MS);
          const first = await logIn(world, token, csr);
          assert.equal(first.serialNumber, begun?.serialNumber ?? first.serialNumber);
          const again = await logIn(world, token, csr);
          assert.equal(again.serialNumber, first.serialNumber);
          return [certificateOf(first), certificateOf(again)];
        },
      };
    },
  },
  {
    title: 'the renewal of a certificate',
    prepare: (world) => workOnKms(world, 'certificate'),
  },
  {
    title: 'the rotation of a token',
    prepare: (world) => workOnKms(world, 'token'),
  },
  {
    title: 'a scan',
    prepare: async (world) => {
      await firstStart(world.deps, world.run);
      world.clock.advance(46 * DAY_MS);
      return {
        act: (deps) => renewDue(deps, world.run),
        goOn: async () => {
          world.queue.takeAll();
          await hoursPass(world);
          return [];
        },
      };
    },
  },
];

async function workOnKms(world: World, kind: 'certificate' | 'token'): Promise<Scene> {
  await firstStart(world.deps, world.run);
  world.clock.advance(46 * DAY_MS);
  await renewDue(world.deps, world.run);
  const { generation } = (await identityOf(world, KMS))[kind];
  const item = world.queue
    .takeAll()
    .find(({ identity, ...one }) => identity.name === 'KMS' && one.kind === kind);
  assert.equal(item?.generation, generation);
  return {
    act: (deps) => doWork(deps, world.run, { v: 1, identity: KMS, kind, generation }),
    goOn: async () => {
      const begun = (await identityOf(world, KMS)).certificate.attempt;
      await hoursPass(world);
      const { head } = (await identityOf(world, KMS)).certificate;
      assert.equal(head?.serialNumber, begun?.serialNumber ?? head?.serialNumber);
      return [];
    },
  };
}

/** What a login wrote down before it signed, finished or not; null when it did not come that far. */
async function loginAttempt(world: World, token: string, csr: string): Promise<CertificateAttempt | null> {
  const decoded = decodeToken(token);
  assert.ok(typeof decoded !== 'string');
  const hash = spkiHash(parseCertificateRequest(csr).spki);
  const row = await world.deps.identities.login(NODE_AGENT.cluster, toHex(decoded.id), hash);
  return row?.value.attempt ?? null;
}

const FAULTS: readonly { title: string; cause: (n: number, deps: Deps) => Fault }[] = [
  { title: 'may die before any call of a port', cause: dieBefore },
  { title: 'may lose the answer of any call of a port', cause: loseAnswer },
];

/** A prime, so that the samples meet every step that a client takes. */
const SAMPLE = 7;

for (const { title, prepare, everyCallUntil = Number.POSITIVE_INFINITY } of STORIES) {
  for (const fault of FAULTS) {
    test(`06 ${title} ${fault.title}, and going on comes to the same as without`, async () => {
      const undisturbed = memoryWorld();
      const scene = await prepare(undisturbed);
      await scene.act(undisturbed.deps);
      await assertWhole(undisturbed, await scene.goOn());
      const expected = await takeInventory(undisturbed);

      for (let n = 1; ; n += n < everyCallUntil ? 1 : SAMPLE) {
        const world = memoryWorld();
        const disturbed = await prepare(world);
        const { deps, hitAt } = fault.cause(n, world.deps);
        const outcome = await disturbed.act(deps).then(
          () => null,
          (error: unknown) => error,
        );
        const hit = hitAt();
        if (hit === null) {
          assert.equal(outcome, null, 'an act that nothing disturbed failed');
          assert.ok(n > 1, 'nothing was disturbed at all');
          return;
        }
        try {
          await assertWhole(world, await disturbed.goOn());
          assert.deepEqual(await takeInventory(world), expected);
        } catch (error) {
          const where = `call ${n}, ${hit.port}.${hit.method}`;
          throw new Error(`At ${where}: ${error instanceof Error ? error.message : error}`, { cause: error });
        }
      }
    });
  }
}
