/** What drives the crash matrix: see the scenarios of number 13. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { vaultAuthorityName } from '../../shared/domain/names.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import type { Scene } from './crash-flows.ts';
import { takeState } from './crash-state.ts';
import { dieBefore, type Fault, loseAnswer } from './faults.ts';
import { assertWhole, takeInventory } from './inspect-world.ts';
import { type PortCall, recordCalls } from './intercepted-ports.ts';
import { memoryWorld, type World } from './memory-world.ts';

/** A write of a flow: its step as ARCHITECTURE.md has it, and the call that it is. */
export type Step = readonly [title: string, call: string];

export interface Flow {
  readonly title: string;
  readonly steps: readonly Step[];
  prepare(world: World): Promise<Scene>;
}

const KILLS: readonly {
  title: string;
  cause: (n: number, deps: Deps, isCounted: (call: PortCall) => boolean) => Fault;
}[] = [
  { title: 'dies before', cause: dieBefore },
  { title: 'answer lost', cause: loseAnswer },
];

/** Calls that change something outside the process. Leases save work, and nothing depends on them. */
const WRITES =
  /\.(?:commit|claim\w+|add|countEvent|insert\w*|replace\w+|change\w+|put\w*|request|createSelfSigned|merge|disable|discardPending|recover|write|sign|send\w*|append|finish|forget\w+|remove\w*)$/;

const isWrite = ({ port, method }: PortCall) => WRITES.test(`${port}.${method}`);

/** Runs every flow without a kill, and once for each step and kind of kill: all must come to the same. */
export function crashMatrix(flows: readonly Flow[]): void {
  const cells: { flow: string; step: string; kill: string; holds: boolean }[] = [];

  after(() => {
    const rows = cells.map(({ flow, step, kill, holds }) =>
      [flow.padEnd(40), step.padEnd(34), kill.padEnd(13), holds ? 'ok' : 'FAILED'].join(''),
    );
    const held = cells.filter(({ holds }) => holds).length;
    console.log([...rows, `${held} of ${cells.length} cells hold.`].join('\n'));
  });

  for (const { title, steps, prepare } of flows) {
    describe(`13 ${title}, killed at every step, comes to the same as without`, async () => {
      const undisturbed = memoryWorld();
      const scene = await prepare(undisturbed);
      const { deps, calls } = recordCalls(undisturbed.deps);
      await scene.act(deps);
      const expected = await outcomeOf(undisturbed, scene);
      const writes = calls.filter((call) => WRITES.test(call));

      test('the steps are all that it writes, in their order', () => {
        assert.deepEqual(
          writes,
          steps.map(([, call]) => call),
        );
      });

      for (const [i, [step]] of steps.entries()) {
        for (const kill of KILLS) {
          test(`${kill.title}: ${step}`, async () => {
            const cell = { flow: title, step, kill: kill.title, holds: false };
            cells.push(cell);
            const world = memoryWorld();
            const disturbed = await prepare(world);
            const fault = kill.cause(i + 1, world.deps, isWrite);
            await disturbed.act(fault.deps).catch(() => undefined);
            const hit = fault.hitAt();
            assert.equal(`${hit?.port}.${hit?.method}`, writes[i]);
            assert.deepEqual(await outcomeOf(world, disturbed), expected);
            cell.holds = true;
          });
        }
      }
    });
  }
}

/** Everything that there is at the end, to compare with the run without a kill. */
async function outcomeOf(world: World, scene: Scene) {
  await assertWhole(world, await scene.goOn());
  const authorities = (await world.deps.fleet.authorities()).map(({ id, state }) => ({
    state,
    versions: world.authorityVault.versions(vaultAuthorityName(id)).length,
  }));
  // They are listed by their ids, which chance decides.
  authorities.sort((a, b) => a.state.localeCompare(b.state));
  return { ...(await takeInventory(world)), ...(await takeState(world)), authorities };
}
