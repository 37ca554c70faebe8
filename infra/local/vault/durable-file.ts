import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The ending of files that are still being written; whatever carries it after a start is rubbish of a killed run. */
export const UNFINISHED = '.unfinished';

/** Makes a directory that only its owner can enter (0700), parents included. */
export async function preparePrivateDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await chmod(path, 0o700);
}

/**
 * Writes a file (0600) so that a crash at any moment leaves either the old content or the new one: into a file beside
 * it, flushed, renamed over the old one, and the directory flushed, because a rename lives in the directory
 * (fsync(2), rename(2)). When this has returned, not even a power cut takes the new content back.
 */
export async function writeDurably(path: string, content: string): Promise<void> {
  const unfinished = await writeUnfinished(path, content);
  await rename(unfinished, path);
  await flushDirectory(dirname(path));
}

/** The first half of it: writes and flushes a file beside the one at `path`, and gives its name. */
export async function writeUnfinished(path: string, content: string): Promise<string> {
  const unfinished = `${path}.${randomBytes(6).toString('hex')}${UNFINISHED}`;
  const file = await open(unfinished, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  return unfinished;
}

/** Removes a file for good. */
export async function removeDurably(path: string): Promise<void> {
  await unlink(path);
  await flushDirectory(dirname(path));
}

async function flushDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
