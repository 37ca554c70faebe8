import { test } from 'node:test';
import fc from 'fast-check';
import { BEGINNING, fleetEvent } from '../support/laws/fleet-events.ts';
import { liveAsFleet } from '../support/laws/fleet-life.ts';
import { smallScene } from '../support/laws/small-world.ts';

test('14 whatever agents, operators, timers and thieves do, at once and killed in between, the laws of the fleet hold', async () => {
  // A failure prints the seed and the shortest life that breaks a law: pin that life below, and mend what it found.
  const life = fc.record({ seed: fc.nat(), events: fc.array(fleetEvent, { maxLength: 60, size: 'max' }) });
  await fc.assert(
    fc.asyncProperty(life, async ({ seed, events }) => {
      const { world } = await smallScene(seed, {});
      await liveAsFleet(world, [...BEGINNING, ...events]);
    }),
    { numRuns: 150, interruptAfterTimeLimit: 20_000, includeErrorInReport: true },
  );
});
