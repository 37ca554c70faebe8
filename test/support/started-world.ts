import assert from 'node:assert/strict';
import { responderKeyType } from '../../shared/domain/responder.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { memoryWorld, type World } from './memory-world.ts';

/** A world right after its first start, which nobody does anything with, by the policy that it was made under. */
const patterns = new Map<string, Promise<Pattern>>();

interface Pattern extends World {
  /** Messages that ask for revocation lists. */
  readonly announcements: number;
}

/**
 * The first start of a world that nothing has happened to. It comes to the same in every one, and takes longer than
 * most of what a test is about: it is done once for each policy, and the worlds of a test file are copies of that one,
 * down to the keys and serial numbers. What is about the first start itself calls it by its own name.
 * @param world as `memoryWorld` made it
 */
export async function startWorld(world: World): Promise<void> {
  const { policy } = world.deps;
  const kind = JSON.stringify(policy);
  const known = patterns.get(kind) ?? startedWorld(policy);
  patterns.set(kind, known);
  const pattern = await known;
  assert.deepEqual(await world.deps.fleet.authorities(), [], 'something was done with this world before');
  world.authorityVault.copyFrom(pattern.authorityVault);
  world.authoritySecrets.copyFrom(pattern.authoritySecrets);
  world.clientVault.copyFrom(pattern.clientVault);
  world.clientSecrets.copyFrom(pattern.clientSecrets);
  world.tables.record.copyFrom(pattern.tables.record);
  world.tables.serials.copyFrom(pattern.tables.serials);
  world.tables.keys.copyFrom(pattern.tables.keys);
  world.tables.counters.copyFrom(pattern.tables.counters);
  world.tables.answers.copyFrom(pattern.tables.answers);
  world.lines.push(...pattern.lines);
  world.clock.advance(pattern.clock.now().getTime() - world.clock.now().getTime());
  // Ready keys come in one order in every world: these are taken, and the next that a vault asks for is another.
  for (const name of world.clientVault.names()) {
    for (const _ of world.clientVault.versions(name)) world.newKey({ keyType: policy.clientKeyType });
  }
  const keyType = responderKeyType({ keyType: policy.authorityKeyType });
  for (const name of world.authorityVault.names().filter((each) => each.startsWith('responder--'))) {
    for (const _ of world.authorityVault.versions(name)) world.newKey({ keyType });
  }
  for (let left = pattern.announcements; left > 0; left--) await world.queue.announceLists();
}

async function startedWorld(policy: World['deps']['policy']): Promise<Pattern> {
  const world = memoryWorld(policy);
  assert.deepEqual(await firstStart(world.deps, world.run), []);
  const announcements = world.queue.takeAnnouncements();
  // What is not copied: a first start leaves nothing there.
  assert.deepEqual(await world.queue.depth(), { waiting: 0, poison: 0 });
  return { ...world, announcements };
}
