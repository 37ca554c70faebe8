import { readFile } from 'node:fs/promises';
import { onClockChange } from '../../clock/shifted-date.ts';
import type { EventQueueConfig } from '../config.ts';
import { writeDurably } from '../durable-file.ts';
import { nowSeconds, type StoredObject } from '../model.ts';
import { eventOf, eventsOfTime, hasNewVersion, type VaultEvent } from './event.ts';
import { EventQueue } from './event-queue.ts';

/** Real time between two looks at what has come near its end, beside the look at every jump of the clock. */
const LOOK_EVERY_MS = 30_000;

/** A vault whose objects come to their ends. */
export interface WatchedVault {
  readonly name: string;
  readonly url: string;
  objects(): readonly StoredObject[];
}

/**
 * Makes events of what happens to the vaults' objects, as a system topic of Event Grid with one subscription does: of a new
 * version at once, before whoever made it has its answer; of what time brings at each jump of virtual time. Up to when the
 * calendar was looked at stands in a file, so that what ends while nothing runs is told at the next start.
 */
export class EventEmitter {
  readonly #queue: EventQueue;
  readonly #path: string;
  readonly #vaults: WatchedVault[] = [];
  #until: number;
  #look: Promise<void> = Promise.resolve();
  readonly #stops: (() => void)[] = [];

  private constructor(queue: EventQueue, path: string, until: number) {
    this.#queue = queue;
    this.#path = path;
    this.#until = until;
  }

  /** @param path the file that keeps up to when events were made; made when it is missing */
  static async open(config: EventQueueConfig, path: string): Promise<EventEmitter> {
    return new EventEmitter(new EventQueue(config), path, (await readMoment(path)) ?? nowSeconds());
  }

  /** Begins to look at the calendar, now and from now on. */
  async start(vaults: readonly WatchedVault[]): Promise<void> {
    this.#vaults.push(...vaults);
    const timer = setInterval(() => void this.#lookAtCalendar(), LOOK_EVERY_MS);
    timer.unref();
    this.#stops.push(
      () => clearInterval(timer),
      onClockChange(() => this.#lookAtCalendar()),
    );
    await this.#lookAtCalendar();
  }

  /** Tells of a change that is on disk. */
  async changed(
    vault: { name: string; url: string },
    before: StoredObject | undefined,
    after: StoredObject,
  ): Promise<void> {
    if (hasNewVersion(before, after)) await this.#queue.deliver([eventOf(vault, after, 'NewVersionCreated')]);
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop();
    await this.#look;
  }

  #lookAtCalendar(): Promise<void> {
    this.#look = this.#look.then(async () => {
      const [from, until] = [this.#until, nowSeconds()];
      const events = this.#vaults.flatMap((vault) =>
        vault
          .objects()
          .flatMap((object): VaultEvent[] =>
            eventsOfTime(object, from, until).map((type) => eventOf(vault, object, type)),
          ),
      );
      // Also what waits is tried again. The moment is kept afterwards: events may come twice, as Event Grid's do.
      await this.#queue.deliver(events);
      if (until === from) return;
      this.#until = until;
      await writeDurably(this.#path, JSON.stringify({ v: 1, until }));
    });
    return this.#look;
  }
}

async function readMoment(path: string): Promise<number | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const { v, until } = JSON.parse(text) as { v?: unknown; until?: unknown };
  if (v !== 1 || typeof until !== 'number') {
    throw new Error(
      `${path} does not say up to when events were made: delete it, and they are made from now on.`,
    );
  }
  return until;
}
