import { readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { preparePrivateDirectory, removeDurably, UNFINISHED, writeDurably } from './durable-file.ts';
import type { StoredObject } from './model.ts';
import { nowSeconds } from './model.ts';

/** What a change leaves behind: an object to save, `null` to remove it, nothing to leave it as it is. */
export interface Change<Result> {
  readonly save?: StoredObject | null;
  readonly result: Result;
}

/** Is told of a change that is on disk, before whoever asked for it. Must not throw. */
export type Saved = (before: StoredObject | undefined, after: StoredObject) => Promise<void>;

/** Decides on a change by the newest state; undefined when there is no such object. */
export type Update<Result> = (current: StoredObject | undefined) => Promise<Change<Result>> | Change<Result>;

/**
 * The objects of one vault: in memory for reading, one file each on disk. Names are case-insensitive, as the
 * service's are. Changes to one object run one after the other, changes to different objects side by side, and a
 * change is on disk before anybody sees it.
 */
export class ObjectStore {
  readonly #directory: string;
  readonly #write: typeof writeDurably;
  readonly #saved: Saved | null;
  readonly #objects = new Map<string, StoredObject>();
  readonly #tails = new Map<string, Promise<unknown>>();

  private constructor(directory: string, write: typeof writeDurably, saved: Saved | null) {
    this.#directory = directory;
    this.#write = write;
    this.#saved = saved;
  }

  /**
   * Opens the directory, made when missing, and sweeps out what a killed run left half-written, and what was purged.
   * @param write how changes reach the disk
   * @param saved null when nobody wants to know
   * @throws Error naming the file when one holds something else than this version's objects.
   */
  static async open(
    directory: string,
    write = writeDurably,
    saved: Saved | null = null,
  ): Promise<ObjectStore> {
    await preparePrivateDirectory(directory);
    const store = new ObjectStore(directory, write, saved);
    for (const file of await readdir(directory)) {
      const path = join(directory, file);
      if (file.endsWith(UNFINISHED)) await unlink(path);
      else if (file.endsWith('.json')) await store.#take(file.slice(0, -'.json'.length), path);
    }
    return store;
  }

  /** Retention can end while no process runs: what is purged goes from the disk too. */
  async #take(key: string, path: string): Promise<void> {
    const object = await load(path);
    if (isPurged(object)) await removeDurably(path);
    else this.#objects.set(key, object);
  }

  /** The object of that name, deleted ones included, purged ones not. */
  get(name: string): StoredObject | undefined {
    const object = this.#objects.get(name.toLowerCase());
    return object === undefined || isPurged(object) ? undefined : object;
  }

  /** Every object, sorted by its name in lower case. */
  all(): StoredObject[] {
    return [...this.#objects.keys()].sort().flatMap((key) => this.get(key) ?? []);
  }

  /**
   * Changes one object. `change` sees the newest state and no other change of this object runs meanwhile; what it
   * throws goes to the caller and changes nothing.
   */
  async update<Result>(name: string, change: Update<Result>): Promise<Result> {
    const key = name.toLowerCase();
    const before = this.#tails.get(key) ?? Promise.resolve();
    const apply = () => this.#apply(key, change);
    const mine = before.then(apply, apply);
    this.#tails.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#tails.get(key) === mine) this.#tails.delete(key);
    }
  }

  /** Resolves when every change begun so far has ended. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#tails.values());
  }

  async #apply<Result>(key: string, change: Update<Result>): Promise<Result> {
    const before = this.get(key);
    const { save, result } = await change(before);
    const path = join(this.#directory, `${key}.json`);
    if (save === null) {
      await removeDurably(path);
      this.#objects.delete(key);
    } else if (save !== undefined) {
      await this.#write(path, JSON.stringify(save));
      this.#objects.set(key, save);
      await this.#saved?.(before, save);
    }
    return result;
  }
}

function isPurged(object: StoredObject): boolean {
  return object.deleted !== null && object.deleted.scheduledPurgeDate <= nowSeconds();
}

async function load(path: string): Promise<StoredObject> {
  let object: Partial<StoredObject> | null;
  try {
    object = JSON.parse(await readFile(path, 'utf8')) as Partial<StoredObject> | null;
  } catch (error) {
    throw new Error(`Cannot read the vault object in ${path}: move the file away, or restore it.`, {
      cause: error,
    });
  }
  if (object?.v !== 1) {
    throw new Error(`Cannot use the vault object in ${path}: it is of another version than 1.`);
  }
  return object as StoredObject;
}
