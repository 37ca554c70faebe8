import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const AZURITE = fileURLToPath(new URL('../../node_modules/azurite/dist/src/azurite.js', import.meta.url));
const CLOCK_PRELOAD = new URL('../../infra/local/clock/preload.ts', import.meta.url).href;
// Azurite's documented account; it opens nothing but an emulator.
// https://learn.microsoft.com/azure/storage/common/storage-use-azurite#well-known-storage-account-and-key
const ACCOUNT = 'devstoreaccount1';
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

export interface Azurite {
  readonly connectionString: string;
  readonly blobUrl: string;
  readonly queueUrl: string;
  readonly tableUrl: string;
  /**
   * Moves Azurite's clock to `offsetMs` ahead of the machine's and waits until it has.
   * @throws Error when it was started without `{ clock: true }`
   */
  setClock(offsetMs: number): Promise<void>;
  /** Ends the process and removes its files. */
  stop(): Promise<void>;
}

/**
 * Starts blobs, queues and tables on free ports of 127.0.0.1, everything in memory.
 * @param options.clock lets the test move Azurite's time (infra/local/clock), for visibility and expiry
 * @param options.offsetMs the virtual time to begin with, in ms ahead of the machine's; wants `clock`
 */
export async function startAzurite(options: { clock?: boolean; offsetMs?: number } = {}): Promise<Azurite> {
  const location = await mkdtemp(join(tmpdir(), 'everleaf-azurite-'));
  // Nothing is kept on disk; the folder is where Azurite puts what it wants to put somewhere.
  const child = spawn(
    process.execPath,
    [
      ...(options.clock === true ? ['--import', CLOCK_PRELOAD] : []),
      AZURITE,
      ...['--blobPort', '0', '--queuePort', '0', '--tablePort', '0'],
      ...['--silent', '--disableTelemetry', '--inMemoryPersistence', '--skipApiVersionCheck'],
    ],
    {
      cwd: location,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, EVERLEAF_CLOCK_OFFSET_MS: String(options.offsetMs ?? 0) },
    },
  );
  // A test that dies must not leave its storage behind.
  const kill = () => void child.kill('SIGKILL');
  process.on('exit', kill);
  const stop = async () => {
    process.off('exit', kill);
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      // Everything is in memory, so there is nothing to save; asked politely it waits for clients' idle connections.
      child.kill('SIGKILL');
      await ended;
    }
    await rm(location, { recursive: true, force: true });
  };
  try {
    const urls = await listening(child);
    const endpoint = (service: 'Blob' | 'Queue' | 'Table') => `${urls.get(service)}/${ACCOUNT}`;
    return {
      connectionString: [
        `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${KEY}`,
        `BlobEndpoint=${endpoint('Blob')};QueueEndpoint=${endpoint('Queue')};TableEndpoint=${endpoint('Table')};`,
      ].join(';'),
      blobUrl: endpoint('Blob'),
      queueUrl: endpoint('Queue'),
      tableUrl: endpoint('Table'),
      setClock: (offsetMs) => {
        if (options.clock !== true) {
          throw new Error('Azurite lives in real time here: start it with startAzurite({ clock: true }).');
        }
        return setClock(child, offsetMs);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Waits for the three lines in which Azurite tells the ports that it was given. */
async function listening(child: ChildProcess): Promise<Map<string, string>> {
  const urls = new Map<string, string>();
  let errors = '';
  child.stderr?.on('data', (chunk) => {
    errors += String(chunk);
  });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  for await (const line of lines) {
    const match = /^Azurite (Blob|Queue|Table) service is successfully listening at (http:\S+)/.exec(line);
    if (match?.[1] === undefined || match[2] === undefined) continue;
    urls.set(match[1], match[2]);
    if (urls.size === 3) break;
  }
  if (urls.size < 3) throw new Error(`Azurite ended before it listened (code ${child.exitCode}): ${errors}`);
  child.stdout?.resume();
  return urls;
}

async function setClock(child: ChildProcess, offsetMs: number): Promise<void> {
  const isSet = new Promise<void>((resolve, reject) => {
    const onMessage = (message: unknown) => {
      if ((message as { offsetMs?: unknown }).offsetMs !== offsetMs) return;
      child.off('message', onMessage);
      child.off('exit', onExit);
      resolve();
    };
    const onExit = () => reject(new Error('Azurite ended while its clock was being set.'));
    child.on('message', onMessage);
    child.once('exit', onExit);
  });
  child.send({ type: 'clock', offsetMs });
  await isSet;
}
