import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Leases } from '../../../../shared/ports/lease.ts';
import { TestClock } from '../../../support/memory-world.ts';

/** The promises of Leases (shared/ports/lease.ts), by their numbers. */
export function describeLeases(name: string, makeLeases: (clock: TestClock) => Promise<Leases>): void {
  const make = async () => {
    const clock = new TestClock('2026-11-21T08:00:00Z');
    return { clock, leases: await makeLeases(clock) };
  };

  describe(`Leases: ${name}`, () => {
    test('1. one caller at a time holds a lease; another gets null at once', async () => {
      const { leases } = await make();
      assert.notEqual(await leases.acquire('scan', 60), null);
      assert.equal(await leases.acquire('scan', 60), null);
      assert.notEqual(await leases.acquire('another', 60), null);
    });

    test('1. of many that ask at once one gets it', async () => {
      const { leases } = await make();
      const answers = await Promise.all(Array.from({ length: 8 }, () => leases.acquire('scan', 60)));
      assert.equal(answers.filter((lease) => lease !== null).length, 1);
    });

    test('2. a lease that nobody gave back ends by itself', async () => {
      const { clock, leases } = await make();
      await leases.acquire('scan', 60);
      clock.advance(59_999);
      assert.equal(await leases.acquire('scan', 60), null);
      clock.advance(1);
      assert.notEqual(await leases.acquire('scan', 60), null);
    });

    test('3. a lease given back is free at once, and giving it back twice does no harm', async () => {
      const { leases } = await make();
      const lease = await leases.acquire('scan', 60);
      await lease?.release();
      await lease?.release();
      assert.notEqual(await leases.acquire('scan', 60), null);
    });

    test('3. who lost a lease gives back nothing of the next holder', async () => {
      const { clock, leases } = await make();
      const lost = await leases.acquire('scan', 60);
      clock.advance(60_000);
      assert.notEqual(await leases.acquire('scan', 60), null);
      await lost?.release();
      assert.equal(await leases.acquire('scan', 60), null);
    });
  });
}
