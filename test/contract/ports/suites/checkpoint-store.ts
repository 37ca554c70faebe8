import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CheckpointStore } from '../../../../shared/ports/checkpoint-store.ts';

/** The promises of CheckpointStore (shared/ports/checkpoint-store.ts), by their numbers; `make` prepares nothing. */
export function describeCheckpointStore(
  name: string,
  make: () => Promise<CheckpointStore & { prepare(): Promise<void> }>,
): void {
  describe(`CheckpointStore: ${name}`, () => {
    test('1. a checkpoint is written once; a second one of its number changes nothing', async () => {
      const store = await make();
      await store.prepare();
      await store.prepare();
      assert.equal(await store.put('alpha', 7, 'a.b.c'), 'written');
      assert.equal(await store.put('alpha', 7, 'x.y.z'), 'exists');
      assert.equal(await store.get('alpha', 7), 'a.b.c');
    });

    test('1. of many that write one at once, one does', async () => {
      const store = await make();
      await store.prepare();
      const texts = Array.from({ length: 6 }, (_, i) => `text ${i}`);
      const results = await Promise.all(texts.map((text) => store.put('alpha', 1, text)));
      assert.equal(results.filter((result) => result === 'written').length, 1);
      assert.equal(await store.get('alpha', 1), texts[results.indexOf('written')]);
    });

    test('1. the first one is written where nothing was prepared', async () => {
      const store = await make();
      assert.equal(await store.put('_fleet', 1, 'a.b.c'), 'written');
      assert.equal(await store.get('_fleet', 1), 'a.b.c');
    });

    test('2. get answers null for what is not there', async () => {
      const store = await make();
      assert.equal(await store.get('alpha', 1), null);
      await store.prepare();
      assert.equal(await store.get('alpha', 1), null);
    });

    test('3. list gives the numbers of one chain, ascending', async () => {
      const store = await make();
      assert.deepEqual(await store.list('alpha'), []);
      for (const seq of [100, 9, 20]) await store.put('alpha', seq, 'text');
      await store.put('alpha-1', 1, 'text');
      assert.deepEqual(await store.list('alpha'), [9, 20, 100]);
      assert.deepEqual(await store.list('beta'), []);
    });
  });
}
