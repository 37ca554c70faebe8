import { HOUR_MS, MINUTE_MS } from '../../shared/domain/instants.ts';
import type { Deps, Run } from '../../shared/use-cases/deps.ts';
import { disableEndedKeys } from '../../shared/use-cases/disable-ended-keys.ts';
import { activateByHand, prepareByHand } from '../../shared/use-cases/manage-authorities.ts';
import { pauseTaint, resumeTaint, revokeByHand, taintByHand } from '../../shared/use-cases/manage-taint.ts';
import { publishAtOnce, publishCrl } from '../../shared/use-cases/publish-crl.ts';
import { goOnWithTaint } from '../../shared/use-cases/taint-waves.ts';
import { updateIdentity } from '../../shared/use-cases/update-identity.ts';
import { hoursPass, type Scene } from './crash-flows.ts';
import { allIdentities } from './inspect-world.ts';
import type { World } from './memory-world.ts';
import { startWorld } from './started-world.ts';

/** Those whose certificates the authority signed that is tainted; the others' are of one before it. */
const SIGNED = ['KMS', 'CSI'];

/** An authority has just been followed by the next one, so that a taint makes none; its id. */
async function followed(world: World): Promise<string> {
  await startWorld(world);
  const { deps, run } = world;
  const id = (await deps.fleet.deployment())?.value.activeAuthorityId ?? '';
  world.clock.advance(HOUR_MS);
  const next = await prepareByHand(deps, run);
  await activateByHand(deps, run, next.id, true);
  for (const one of await allIdentities(world)) {
    const { head } = one.certificate;
    if (head === null || SIGNED.includes(one.name)) continue;
    await updateIdentity(deps, one, (current) => ({
      identity: {
        ...current,
        certificate: { ...current.certificate, head: { ...head, authorityId: 'before' } },
      },
      changes: [],
    }));
  }
  return id;
}

/** An operator asks, and again until there is an answer; then hours pass. */
function asking(world: World, ask: (deps: Deps) => Promise<unknown>): Scene {
  return {
    act: ask,
    goOn: async () => {
      await ask(world.deps);
      await hoursPass(world);
      await followRevocation(world.deps, world.run);
      return [];
    },
  };
}

export async function taintScene(world: World): Promise<Scene> {
  const id = await followed(world);
  return asking(world, (deps) => taintByHand(deps, world.run, id, 'lost'));
}

export async function pauseScene(world: World): Promise<Scene> {
  const id = await followed(world);
  await taintByHand(world.deps, world.run, id, 'lost');
  const act = async (deps: Deps) => {
    await pauseTaint(deps, world.run, id);
    await resumeTaint(deps, world.run, id);
  };
  return asking(world, act);
}

export async function forcedRevocationScene(world: World): Promise<Scene> {
  const id = await followed(world);
  await taintByHand(world.deps, world.run, id, 'lost');
  await publishCrl(world.deps, world.run);
  return asking(world, async (deps) => {
    await revokeByHand(deps, world.run, id, true);
    await followRevocation(deps, world.run);
  });
}

/** The timer begins with the first wave. */
export async function waveScene(world: World): Promise<Scene> {
  const id = await followed(world);
  await taintByHand(world.deps, world.run, id, 'lost');
  return passing(world, (deps) => goOnWithTaint(deps, world.run, id));
}

/** Everything is replaced, and the timer finds that out. */
export async function lastSweepScene(world: World): Promise<Scene> {
  const id = await followed(world);
  await taintByHand(world.deps, world.run, id, 'lost');
  await world.tick();
  world.clock.advance(16 * MINUTE_MS);
  await publishCrl(world.deps, world.run);
  return passing(world, async (deps) => {
    await goOnWithTaint(deps, world.run, id);
    await followRevocation(deps, world.run);
  });
}

/** What the message of a revocation has done, and the roll after that. */
async function followRevocation(deps: Deps, run: Run): Promise<void> {
  await publishAtOnce(deps, run);
  await disableEndedKeys(deps, run);
}

function passing(world: World, act: Scene['act']): Scene {
  return {
    act,
    goOn: async () => {
      await hoursPass(world);
      await followRevocation(world.deps, world.run);
      return [];
    },
  };
}
