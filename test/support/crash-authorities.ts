import { DAY_MS, HOUR_MS } from '../../shared/domain/instants.ts';
import { readActiveAuthority } from '../../shared/use-cases/authorities.ts';
import {
  activateAuthority,
  cancelAuthority,
  publishAuthority,
  taintAuthority,
} from '../../shared/use-cases/authority-steps.ts';
import { deliverBundle } from '../../shared/use-cases/deliver-bundle.ts';
import { ensureDeployment } from '../../shared/use-cases/deployment.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { ensureAuthority } from '../../shared/use-cases/first-start.ts';
import { prepareSuccessor } from '../../shared/use-cases/prepare-successor.ts';
import { publishAtOnce, publishCrl } from '../../shared/use-cases/publish-crl.ts';
import { renewResponders } from '../../shared/use-cases/renew-responders.ts';
import { rollAuthority } from '../../shared/use-cases/roll-authority.ts';
import type { Scene } from './crash-flows.ts';
import type { World } from './memory-world.ts';

/** A deployment with an authority and nobody that it signs for: what is looked at is the authority's own life. */
async function begun(world: World): Promise<string> {
  await ensureDeployment(world.deps);
  await ensureAuthority(world.deps, world.run);
  await deliverBundle(world.deps, world.run);
  await renewResponders(world.deps, world.run);
  return (await readActiveAuthority(world.deps)).id;
}

/** What whoever asked for it does again, and then the timers, as often as they come. */
function repeated(world: World, act: (deps: Deps) => Promise<unknown>): Scene {
  return {
    act,
    goOn: async () => {
      // A run that was killed holds its lease for ten minutes.
      world.clock.advance(HOUR_MS);
      await act(world.deps);
      for (let hour = 0; hour < 2; hour++) {
        await rollAuthority(world.deps, world.run);
        world.clock.advance(HOUR_MS);
      }
      await rollAuthority(world.deps, world.run);
      await renewResponders(world.deps, world.run);
      return [];
    },
  };
}

const rolled = (world: World) => repeated(world, (deps) => rollAuthority(deps, world.run));

/** An authority ends, which a message to the worker follows; the next run of the timer finds its last list published. */
async function ended(world: World): Promise<Scene> {
  await publishCrl(world.deps, world.run);
  return repeated(world, async (deps) => {
    await rollAuthority(deps, world.run);
    await publishAtOnce(deps, world.run);
    await rollAuthority(deps, world.run);
  });
}

async function withSuccessor(world: World): Promise<{ first: string; next: string }> {
  const first = await begun(world);
  const next = (await prepareSuccessor(world.deps, world.run))?.id ?? '';
  return { first, next };
}

async function withPublished(world: World): Promise<{ first: string; next: string }> {
  const both = await withSuccessor(world);
  await publishAuthority(world.deps, world.run, both.next);
  return both;
}

export async function preparationScene(world: World): Promise<Scene> {
  await begun(world);
  return repeated(world, (deps) => prepareSuccessor(deps, world.run));
}

/** There is nobody who must know it, so the same run has it sign. */
export async function publicationScene(world: World): Promise<Scene> {
  await withSuccessor(world);
  return rolled(world);
}

export async function activationScene(world: World): Promise<Scene> {
  await withPublished(world);
  await deliverBundle(world.deps, world.run);
  return rolled(world);
}

export async function retirementScene(world: World): Promise<Scene> {
  const { next } = await withPublished(world);
  await activateAuthority(world.deps, world.run, next);
  await deliverBundle(world.deps, world.run);
  world.clock.advance(91 * DAY_MS);
  return ended(world);
}

export async function cancellationScene(world: World): Promise<Scene> {
  const { next } = await withSuccessor(world);
  return repeated(world, (deps) =>
    cancelAuthority(deps, world.run, next, 'an operator thought better of it'),
  );
}

const TAINT = { reason: 'stolen', requestedBy: 'olga', operationId: null };

export async function taintScene(world: World): Promise<Scene> {
  const { first } = await withPublished(world);
  return repeated(world, (deps) => taintAuthority(deps, world.run, first, TAINT));
}

export async function revocationOfAuthorityScene(world: World): Promise<Scene> {
  const { first, next } = await withPublished(world);
  await activateAuthority(world.deps, world.run, next);
  await taintAuthority(world.deps, world.run, first, TAINT);
  await deliverBundle(world.deps, world.run);
  world.clock.advance(HOUR_MS);
  return ended(world);
}

export async function deliveryScene(world: World): Promise<Scene> {
  await withPublished(world);
  return repeated(world, (deps) => deliverBundle(deps, world.run));
}
