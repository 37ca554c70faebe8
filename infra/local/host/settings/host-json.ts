import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LogLevel } from '../core/core-types.ts';
import { HostJsonReader } from './host-json-reader.ts';

/** What this host takes from host.json; lengths in milliseconds. */
export interface HostJson {
  readonly routePrefix: string;
  readonly queues: QueueSettings;
  /** Infinity for `-1`. */
  readonly functionTimeoutMs: number;
  readonly logLevels: Readonly<Record<string, LogLevel>>;
}

export interface QueueSettings {
  readonly batchSize: number;
  readonly newBatchThreshold: number;
  readonly maxDequeueCount: number;
  readonly visibilityTimeoutMs: number;
  readonly maxPollingIntervalMs: number;
  readonly messageEncoding: 'base64' | 'none';
}

const DAY_MS = 86_400_000;

/**
 * Reads and checks host.json. Sections that this host knows nothing of are left alone, as the real one leaves them to
 * their extensions. Names, defaults and ranges: https://learn.microsoft.com/azure/azure-functions/functions-host-json
 * and https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue#host-json.
 * @throws Error naming the path inside host.json, what stands there and what may
 */
export function readHostJson(appDir: string): HostJson {
  const file = join(appDir, 'host.json');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Error(`${file} cannot be read: a function app has one beside its package.json.`, { cause });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${file} is not JSON: ${(cause as Error).message}`, { cause });
  }
  return parseHostJson(json, file);
}

/** The checks of {@link readHostJson} on what was parsed; `file` is for messages. */
export function parseHostJson(json: unknown, file = 'host.json'): HostJson {
  const root = new HostJsonReader(file, json);
  root.choice('version', ['2.0']);
  const http = root.section('extensions').section('http');
  const queues = root.section('extensions').section('queues');
  const batchSize = queues.integer('batchSize', { default: 16, min: 1, max: 32 });
  return {
    routePrefix: http.text('routePrefix', 'api').replace(/^\/+|\/+$/g, ''),
    queues: {
      batchSize,
      newBatchThreshold: queues.integer('newBatchThreshold', {
        default: Math.floor(batchSize / 2),
        min: 0,
        max: 1000,
      }),
      maxDequeueCount: queues.integer('maxDequeueCount', { default: 5, min: 1, max: 10_000 }),
      visibilityTimeoutMs: queues.timeSpan('visibilityTimeout', { default: 0, min: 0, max: 7 * DAY_MS }),
      maxPollingIntervalMs: queues.timeSpan('maxPollingInterval', { default: 60_000, min: 100, max: DAY_MS }),
      messageEncoding: queues.choice('messageEncoding', ['base64', 'none'], 'base64'),
    },
    functionTimeoutMs: root.isMinusOne('functionTimeout')
      ? Number.POSITIVE_INFINITY
      : root.timeSpan('functionTimeout', { default: 30 * 60_000, min: 1000, max: 10 * DAY_MS }),
    logLevels: root.section('logging').logLevels('logLevel'),
  };
}
