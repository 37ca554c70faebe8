import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BackupStore } from '../../../../shared/ports/backup-store.ts';

export interface BackupsUnderTest {
  readonly store: BackupStore & { prepare(): Promise<void> };
  /** What lies there under a name; null when nothing does. */
  read(name: string): Promise<Uint8Array | null>;
}

async function* contentOf(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

async function* broken(error: Error): AsyncGenerator<Uint8Array> {
  yield Buffer.alloc(5_000_000, 1);
  throw error;
}

/** The promises of BackupStore (shared/ports/backup-store.ts), by their numbers; `make` prepares nothing. */
export function describeBackupStore(name: string, make: () => Promise<BackupsUnderTest>): void {
  describe(`BackupStore: ${name}`, () => {
    test('1. a backup is what its content gave, however that came', async () => {
      const { store, read } = await make();
      await store.prepare();
      await store.prepare();
      const large = Buffer.alloc(9_000_001, 7);
      await store.write(
        'large.age',
        contentOf(large.subarray(0, 3), large.subarray(3, 6_000_000), large.subarray(6_000_000)),
      );
      assert.ok(large.equals((await read('large.age')) ?? new Uint8Array()));
      await store.write('small.age', contentOf(Buffer.from('a'), Buffer.from('b')));
      assert.equal(Buffer.from((await read('small.age')) ?? []).toString(), 'ab');
    });

    test('1. the first one is written where nothing was prepared', async () => {
      const { store, read } = await make();
      await store.write('first.age', contentOf(Buffer.from('a')));
      assert.equal((await read('first.age'))?.length, 1);
    });

    test('1. content that fails leaves no backup, and its error is thrown', async () => {
      const { store, read } = await make();
      await store.prepare();
      const error = new Error('The content came no further.');
      await assert.rejects(store.write('half.age', broken(error)), error);
      assert.equal(await read('half.age'), null);
      await store.write('half.age', contentOf(Buffer.from('whole')));
      assert.equal((await read('half.age'))?.length, 5);
    });

    test('2. a name that is taken stays as it is', async () => {
      const { store, read } = await make();
      await store.write('one.age', contentOf(Buffer.from('first')));
      await assert.rejects(store.write('one.age', contentOf(Buffer.from('second'))), {
        code: 'AlreadyExists',
      });
      assert.equal(Buffer.from((await read('one.age')) ?? []).toString(), 'first');
    });
  });
}
