import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HISTOGRAM_BOUNDS } from '../../../../shared/domain/metrics.ts';
import type { Metrics } from '../../../../shared/ports/metrics.ts';

/** The promises of Metrics (shared/ports/metrics.ts), by their numbers. */
export function describeMetrics(name: string, make: () => Metrics): void {
  describe(`Metrics: ${name}`, () => {
    test('1. and 2. what was counted is answered, the same labels together', () => {
      const metrics = make();
      metrics.count('everleaf.renewals', { kind: 'token', outcome: 'success' });
      metrics.count('everleaf.renewals', { outcome: 'success', kind: 'token' }, 2);
      metrics.count('everleaf.renewals', { kind: 'token', outcome: 'failure' });
      const [renewals] = metrics.counted().counters;
      assert.equal(renewals?.name, 'everleaf.renewals');
      assert.deepEqual(
        renewals.points.map(({ labels, value }) => [labels['outcome'], value]),
        [
          ['success', 3],
          ['failure', 1],
        ],
      );
    });

    test('1. and 2. what was recorded lies under its bounds', () => {
      const metrics = make();
      for (const seconds of [0.005, 0.3, 99]) metrics.record('everleaf.vault.duration', {}, seconds);
      const [distribution] = metrics.counted().histograms[0]?.distributions ?? [];
      assert.deepEqual([distribution?.count, distribution?.sum], [3, 99.305]);
      assert.equal(distribution?.atMost[0], 1, 'a bound belongs to what it bounds');
      assert.equal(distribution.atMost[HISTOGRAM_BOUNDS.indexOf(0.5)], 2);
      assert.equal(distribution.atMost.at(-1), 2);
    });

    test('2. every process has a name of its own', () => {
      const metrics = make();
      assert.equal(metrics.counted().process, metrics.counted().process);
      assert.notEqual(metrics.counted().process, make().counted().process);
    });

    test('3. a report fails with nobody', async () => {
      const metrics = make();
      const gauge = { name: 'everleaf.queue.poison', points: [{ labels: {}, value: 1 }] } as const;
      await Promise.all([metrics.report([gauge]), metrics.report([]), metrics.report([gauge])]);
    });
  });
}
