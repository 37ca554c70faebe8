import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { WorkItem, WorkQueue } from '../../../../shared/ports/work-queue.ts';

/** A queue, and the host's end of it. */
export interface QueueUnderTest {
  readonly queue: WorkQueue & { prepare(): Promise<void> };
  /** Takes what waits and parses it, as the host does for the work function. */
  takeAll(): Promise<unknown[]>;
}

const item = (generation: number): WorkItem => ({
  v: 1,
  identity: { cluster: 'management', name: 'KMS' },
  kind: 'certificate',
  generation,
});

/** The promises of WorkQueue (shared/ports/work-queue.ts), by their numbers. */
export function describeWorkQueue(name: string, makeQueue: () => Promise<QueueUnderTest>): void {
  describe(`WorkQueue: ${name}`, () => {
    test('1. every item that was sent is delivered, and says what it said', async () => {
      const { queue, takeAll } = await makeQueue();
      await queue.prepare();
      const items = [item(1), item(2), { ...item(3), kind: 'token' as const, operationId: 'op' }];
      for (const one of items) await queue.send(one);
      const generationOf = (message: unknown) => (message as WorkItem).generation;
      const delivered = (await takeAll()).sort((a, b) => generationOf(a) - generationOf(b));
      assert.deepEqual(delivered, items);
    });

    test('1. so is every operation', async () => {
      const { queue, takeAll } = await makeQueue();
      await queue.prepare();
      await queue.sendOperation('0a'.repeat(16));
      assert.deepEqual(await takeAll(), [{ v: 1, type: 'operation', operationId: '0a'.repeat(16) }]);
    });

    test('2. so is the request to look at the revocation lists', async () => {
      const { queue, takeAll } = await makeQueue();
      await queue.prepare();
      await queue.announceLists();
      assert.deepEqual(await queue.depth(), { waiting: 1, poison: 0 });
      assert.deepEqual(await takeAll(), [{ v: 1, type: 'publish-crl' }]);
    });

    test('3. depth counts what waits and what was given up on', async () => {
      const { queue } = await makeQueue();
      await queue.prepare();
      assert.deepEqual(await queue.depth(), { waiting: 0, poison: 0 });
      await queue.send(item(1));
      await queue.send(item(2));
      assert.deepEqual(await queue.depth(), { waiting: 2, poison: 0 });
    });

    test('3. preparing a queue that is there takes nothing away', async () => {
      const { queue } = await makeQueue();
      await queue.prepare();
      await queue.send(item(1));
      await queue.prepare();
      assert.deepEqual(await queue.depth(), { waiting: 1, poison: 0 });
    });
  });
}
