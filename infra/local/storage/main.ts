/**
 * The storage process. It runs in a process group of its own, so that killing the environment does not kill it: it
 * notices that its parent is gone, writes everything to disk and ends.
 */
import { join } from 'node:path';
import { runChild } from '../process/child.ts';
import { acquireDirectory } from '../supervisor/claims.mjs';
import { type StorageProcessConfig, startStorage } from './storage.ts';

// As long as the supervisor waits for the run before it.
const WAIT_MS = 60_000;

await runChild<StorageProcessConfig>(async (config) => {
  // Azurite leaves the mode of its files to the umask; they hold what the record holds.
  process.umask(0o077);
  // A storage process that lost its parent may still be writing here. Two at once would overwrite each other's files.
  const release = await acquireDirectory(join(config.directory, 'claims'), 'storage', { waitMs: WAIT_MS });
  const storage = await startStorage(config);
  return {
    info: { ...storage.endpoints },
    async stop() {
      await storage.stop();
      release();
    },
  };
});
