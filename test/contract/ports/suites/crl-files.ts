import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CrlFiles } from '../../../../shared/ports/crl-files.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);

/** The promises of CrlFiles (shared/ports/crl-files.ts), by their numbers; `make` prepares nothing. */
export function describeCrlFiles(
  name: string,
  make: () => Promise<CrlFiles & { prepare(): Promise<void> }>,
): void {
  describe(`CrlFiles: ${name}`, () => {
    test('1. a list is written once, also where nothing was prepared', async () => {
      const files = await make();
      assert.equal(await files.get('a1', 7), null);
      assert.equal(await files.put('a1', 7, bytes(1, 2)), 'written');
      assert.equal(await files.put('a1', 7, bytes(3)), 'exists');
      assert.deepEqual([...((await files.get('a1', 7)) ?? [])], [1, 2]);
    });

    test('2. the last lists of more authorities than are remembered are all there', async () => {
      const files = await make();
      await files.prepare();
      const ids = ['a1', 'a2', 'a3', 'a4', 'a5', 'a6'];
      for (const [i, id] of ids.entries()) await files.put(id, 1, bytes(i));
      for (let round = 0; round < 2; round++) {
        for (const [i, id] of ids.entries()) assert.deepEqual([...((await files.get(id, 1)) ?? [])], [i]);
      }
      assert.equal(await files.get('a1', 2), null);
    });

    test('3. numbers are those of one authority, ascending', async () => {
      const files = await make();
      assert.deepEqual(await files.numbers('a1'), []);
      for (const number of [1_800_000_000, 9, 20]) await files.put('a1', number, bytes(0));
      await files.put('a1x', 1, bytes(0));
      assert.deepEqual(await files.numbers('a1'), [9, 20, 1_800_000_000]);
    });

    test('4. a list that is removed is gone, and may be removed again', async () => {
      const files = await make();
      await files.remove('a1', 1);
      await files.put('a1', 1, bytes(0));
      await files.get('a1', 1);
      await files.remove('a1', 1);
      await files.remove('a1', 1);
      assert.equal(await files.get('a1', 1), null);
      assert.deepEqual(await files.numbers('a1'), []);
    });
  });
}
