import assert from 'node:assert/strict';
import { SEAL_AFTER_MS } from '../../../shared/domain/audit.ts';
import { isEverleafError } from '../../../shared/domain/errors.ts';
import { HOUR_MS, SECOND_MS } from '../../../shared/domain/instants.ts';
import type { Deps } from '../../../shared/use-cases/deps.ts';
import { sealAudit } from '../../../shared/use-cases/seal-audit.ts';
import { dieBefore, loseAnswer } from '../faults.ts';
import { assertDueRows } from '../inspect-world.ts';
import { interleave } from '../interleaving.ts';
import type { World } from '../memory-world.ts';
import { doAsAgent } from './fleet-agents.ts';
import type { AgentDeed, Deed, FleetEvent, Trouble } from './fleet-events.ts';
import { FleetMemory } from './fleet-memory.ts';
import { doAsOperator } from './fleet-operators.ts';
import { watchCommits } from './watched-commits.ts';

const AGENTS: readonly Deed['do'][] = [
  'login',
  'renew',
  'use',
  'ask-token',
  'acknowledge',
  'be-robbed',
] satisfies AgentDeed['do'][];

/** A life of a fleet, every transaction of which keeps the laws, and all of whose events are sealed once at its end. */
export async function liveAsFleet(plain: World, events: readonly FleetEvent[]): Promise<void> {
  const memory = new FleetMemory();
  const watched = watchCommits(plain.deps, memory);
  const world: World = { ...plain, deps: watched, tick: (deps = watched) => plain.tick(deps) };
  await noteBeginning(plain, memory);
  for (const one of events) {
    await happen(world, memory, one);
    if (memory.violations.length > 0) throw memory.violations[0];
    const alpha = await plain.deps.fleet.cluster('alpha');
    if (alpha?.value.state === 'Deleted') memory.deadClusters.add('alpha');
    await assertDueRows(plain);
  }
  await assertSealedOnce(world, memory);
}

/** What was written before anybody watched. */
async function noteBeginning({ clock, deps }: World, memory: FleetMemory): Promise<void> {
  const options = { before: new Date(clock.now().getTime() + HOUR_MS), limit: 1000 };
  for (let partition = 0; partition < deps.audit.partitions; partition++) {
    const { items } = await deps.audit.waiting(partition, options);
    for (const { event } of items) memory.events.set(event.id, event.count);
  }
}

async function happen(world: World, memory: FleetMemory, one: FleetEvent): Promise<void> {
  const { deps } = world;
  if (one.do === 'wait') return world.clock.advance(one.seconds * SECOND_MS);
  // Whoever asks anew comes after what was begun and left is taken over.
  world.clock.advance(31 * SECOND_MS);
  if (one.do === 'at-once') {
    const callers = [one.agent, one.operator].map(
      (deed) => (used: Deps) => attempt(world, memory, deed, used),
    );
    for (const result of await interleave(deps, one.seed, callers)) {
      if (result.status === 'rejected') throw result.reason;
    }
    return;
  }
  if (one.trouble !== null) {
    const { kind, call } = one.trouble;
    const used = kind === 'unheard' ? deps : (kind === 'dies' ? dieBefore : loseAnswer)(call, deps).deps;
    await attempt(world, memory, one.deed, used, one.trouble);
    world.clock.advance(31 * SECOND_MS);
  }
  // An operator asks until there is an answer; an agent that lost one may do something else, and often does this.
  const isAgents = AGENTS.includes(one.deed.do);
  if (one.trouble === null || !isAgents || one.trouble.call % 3 > 0)
    await attempt(world, memory, one.deed, deps);
}

/** Refusals are part of life; what is none, and what the laws say, is not. */
async function attempt(
  world: World,
  memory: FleetMemory,
  deed: Deed,
  deps: Deps,
  trouble: Trouble = null,
): Promise<void> {
  try {
    if (isAgentDeed(deed)) await doAsAgent(world, memory, deed, deps, trouble?.kind !== 'unheard');
    else await doAsOperator(world, memory, deed, deps);
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    if (isEverleafError(error) && !isEverleafError(error, 'Internal', 'LintFailed')) return;
    if (trouble === null || trouble.kind === 'unheard') throw error;
  }
}

function isAgentDeed(deed: Deed): deed is AgentDeed {
  return AGENTS.includes(deed.do);
}

/** Every event that was acknowledged is in its chain, once and with its count, and nothing else is. */
async function assertSealedOnce({ clock, deps, run }: World, memory: FleetMemory): Promise<void> {
  clock.advance(HOUR_MS + SEAL_AFTER_MS);
  await sealAudit(deps, run);
  const sealed = new Map<string, number>();
  for (let partition = 0; partition < deps.audit.partitions; partition++) {
    for (const { value } of await deps.audit.heads(partition)) {
      const entries = await deps.audit.entries(value.chain, 0, Number.POSITIVE_INFINITY);
      assert.equal(entries.length, value.seq, `the chain ${value.chain} has gaps`);
      for (const { entry } of entries) {
        assert.ok(!sealed.has(entry.event.id), `an event of ${value.chain} is sealed twice`);
        sealed.set(entry.event.id, entry.event.count);
      }
    }
  }
  assert.deepEqual([...sealed].sort(), [...memory.events].sort(), 'what happened and what is sealed differ');
}
