import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '../../shared/domain/instants.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { renewDue } from '../../shared/use-cases/renew-due.ts';
import { KMS } from '../support/agent.ts';
import { hoursPass, loginScene, renewalScene, type Scene } from '../support/crash-flows.ts';
import { dieBefore, type Fault, loseAnswer } from '../support/faults.ts';
import { assertWhole, takeInventory } from '../support/inspect-world.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';
import { startWorld } from '../support/started-world.ts';

/** One thing that the product does, from a state to another, and what whoever asked for it does afterwards. */
interface Story {
  readonly title: string;
  /** Up to here every call is tried; behind it the same code runs for one client after the other, and samples do. */
  readonly everyCallUntil?: number;
  prepare(world: World): Promise<Scene>;
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
    prepare: loginScene,
  },
  {
    title: 'the renewal of a certificate',
    prepare: (world) => renewalScene(world, KMS, 'certificate'),
  },
  {
    title: 'the rotation of a token',
    prepare: (world) => renewalScene(world, KMS, 'token'),
  },
  {
    title: 'a scan',
    prepare: async (world) => {
      await startWorld(world);
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
