import { constants } from 'node:fs';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * The few things that the agent does to files, each so small that a kill falls between two of them. All files are for their
 * owner alone (0600 in folders of 0700).
 */
export interface FileSystem {
  /** @returns null when there is no such file */
  read(path: string): Promise<string | null>;
  /** Makes a new file, in place of whatever stood there, and returns when its content is on the disk. */
  write(path: string, text: string): Promise<void>;
  /** Puts a file in another's place in one step (POSIX rename). */
  rename(from: string, to: string): Promise<void>;
  /** Returns when the names in a folder are on the disk. */
  syncFolder(path: string): Promise<void>;
  makeFolder(path: string): Promise<void>;
}

/** The file has its old content or its new, whenever the process or the machine ends. */
export async function replaceFile(files: FileSystem, path: string, text: string): Promise<void> {
  // One name and not a new one each time: what a kill leaves behind is swept away by the next attempt.
  const temporary = join(dirname(path), `.${basename(path)}.new`);
  await files.write(temporary, text);
  await files.rename(temporary, path);
  await files.syncFolder(dirname(path));
}

export const realFiles: FileSystem = {
  async read(path) {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return null;
      throw error;
    }
  },

  async write(path, text) {
    await rm(path, { force: true });
    const { O_CREAT, O_EXCL, O_WRONLY } = constants;
    const file = await open(path, O_CREAT | O_EXCL | O_WRONLY, 0o600);
    try {
      await file.writeFile(text, 'utf8');
      await file.sync();
    } finally {
      await file.close();
    }
  },

  rename,

  async syncFolder(path) {
    // Windows opens no folders, and writes a rename down by itself.
    if (process.platform === 'win32') return;
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },

  async makeFolder(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
};

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
