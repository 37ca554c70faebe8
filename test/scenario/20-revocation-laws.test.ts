import { test } from 'node:test';
import fc from 'fast-check';
import { event, liveWithRevocations } from '../support/laws/revocations.ts';
import { smallScene } from '../support/laws/small-world.ts';

test('20 from no state that can be reached is a certificate issued to what is revoked', async () => {
  const life = fc.record({ seed: fc.nat(), events: fc.array(event, { maxLength: 45, size: 'max' }) });
  await fc.assert(
    fc.asyncProperty(life, async ({ seed, events }) => {
      const { world } = await smallScene(seed, {});
      await liveWithRevocations(world, events);
    }),
    { numRuns: 300, interruptAfterTimeLimit: 25_000, includeErrorInReport: true },
  );
});
