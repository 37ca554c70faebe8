import { BlobServiceClient, type ContainerClient, RestError } from '@azure/storage-blob';
import type { Schedule } from './ncrontab.ts';

/** What is remembered of a timer from one start to the next. */
export interface ScheduleStatus {
  /** When it last ran; undefined before its first run. */
  readonly last: Date | undefined;
  readonly next: Date;
  /** The moment from which `next` was computed. */
  readonly lastUpdated: Date;
}

/** Keeps the status of one timer. */
export interface ScheduleStatusStore {
  read(): Promise<ScheduleStatus | undefined>;
  write(status: ScheduleStatus): Promise<void>;
}

// .NET's default DateTime, which stands for "never" in the blob and in what the function sees.
const NEVER = '0001-01-01T00:00:00';

/** The JSON of the blob and of `timer.scheduleStatus`, times as .NET writes them. */
export function toStatusJson(status: ScheduleStatus): { Last: string; Next: string; LastUpdated: string } {
  return {
    Last: status.last === undefined ? NEVER : toNetTime(status.last),
    Next: toNetTime(status.next),
    LastUpdated: toNetTime(status.lastUpdated),
  };
}

/**
 * One JSON blob a timer, `azure-webjobs-hosts/timers/<hostId>/<timer>/status`, at the place and in the form of the real
 * host (StorageScheduleMonitor.cs in azure-webjobs-sdk-extensions); the container is created on demand.
 */
export function blobStatusStores(
  connectionString: string,
  hostId: string,
): (timerName: string) => ScheduleStatusStore {
  const container =
    BlobServiceClient.fromConnectionString(connectionString).getContainerClient('azure-webjobs-hosts');
  return (timerName) => {
    const blob = container.getBlockBlobClient(`timers/${hostId}/${timerName}/status`);
    return {
      read: async () => {
        try {
          return parseStatus((await blob.downloadToBuffer()).toString('utf8'));
        } catch (error) {
          if (error instanceof RestError && error.statusCode === 404) return undefined;
          throw error;
        }
      },
      write: async (status) => {
        const text = JSON.stringify(toStatusJson(status));
        await upload(container, () => blob.upload(text, Buffer.byteLength(text)));
      },
    };
  };
}

async function upload(container: ContainerClient, write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!(error instanceof RestError) || error.code !== 'ContainerNotFound') throw error;
    await container.createIfNotExists();
    await write();
  }
}

function parseStatus(text: string): ScheduleStatus | undefined {
  const { Last, Next, LastUpdated } = JSON.parse(text) as Record<string, string>;
  const next = new Date(Next ?? '');
  const lastUpdated = new Date(LastUpdated ?? '');
  if (Number.isNaN(next.getTime()) || Number.isNaN(lastUpdated.getTime())) return undefined;
  const last = Last === undefined || Last.startsWith('0001-') ? undefined : new Date(Last);
  return { last, next, lastUpdated };
}

/**
 * The status to begin with. When the schedule is no longer the one that the status was computed with, the next time
 * is computed anew, and one that has gone by meanwhile is not caught up (CheckPastDueAsync of
 * ScheduleMonitor.cs in azure-webjobs-sdk-extensions).
 * @returns the status, and whether it has to be written
 */
export function initialStatus(
  recorded: ScheduleStatus | undefined,
  schedule: Schedule,
  now: Date,
): { status: ScheduleStatus; isNew: boolean } {
  if (recorded === undefined) {
    return { status: { last: undefined, next: schedule.next(now), lastUpdated: now }, isNew: true };
  }
  const basis = recorded.last ?? recorded.lastUpdated;
  const expected = schedule.next(basis);
  if (recorded.next.getTime() === expected.getTime()) return { status: recorded, isNew: false };
  const isPast = now > expected;
  return {
    status: {
      last: undefined,
      next: isPast ? schedule.next(now) : expected,
      lastUpdated: isPast ? now : basis,
    },
    isNew: true,
  };
}

function toNetTime(time: Date): string {
  return time.toISOString().replace('Z', '+00:00');
}
