/** The crash matrix of looks at what the vaults' events are about: see 13-crash-matrix.test.ts. */
import { DAY_MS } from '../../shared/domain/instants.ts';
import { vaultCertificateName } from '../../shared/domain/names.ts';
import type { HintKind } from '../../shared/domain/vault-hint.ts';
import { heedHint } from '../../shared/use-cases/heed-hint.ts';
import { reconcile } from '../../shared/use-cases/reconcile.ts';
import { KMS } from '../support/agent.ts';
import { hoursPass, type Scene } from '../support/crash-flows.ts';
import { crashMatrix } from '../support/crash-matrix.ts';
import { addForeignVersion } from '../support/foreign-version.ts';
import type { World } from '../support/memory-world.ts';
import { startWorld } from '../support/started-world.ts';
import { hintOf } from '../support/vault-events.ts';

const NAME = vaultCertificateName(KMS);

/** An event has come. When the look at it dies nobody delivers it again: the timers see to the rest. */
async function hintScene(world: World, days: number, kind: HintKind): Promise<Scene> {
  await startWorld(world);
  world.clock.advance(days * DAY_MS);
  return {
    act: (deps) => heedHint(deps, world.run, hintOf(kind, NAME)),
    goOn: async () => {
      await hoursPass(world);
      await reconcile(world.deps, world.run);
      await hoursPass(world);
      return [];
    },
  };
}

crashMatrix([
  {
    title: 'a look at what is near its end',
    steps: [
      ['counter: the vaults’ budget', 'counters.add'],
      ['record: queued', 'identities.commit'],
      ['queue: one renewal', 'queue.send'],
    ],
    prepare: (world) => hintScene(world, 46, 'near-expiry'),
  },
  {
    title: 'a look at a version that somebody made',
    steps: [
      ['counter: one look', 'counters.add'],
      ['record: due, and the event', 'identities.commit'],
      ['counter: the vaults’ budget', 'counters.add'],
      ['record: queued', 'identities.commit'],
      ['queue: one renewal', 'queue.send'],
    ],
    prepare: async (world) => {
      const scene = await hintScene(world, 2, 'new-version');
      await addForeignVersion(world, NAME);
      return scene;
    },
  },
]);
