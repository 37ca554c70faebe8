/** One run of the local environment, from the lock on its state directory to the last file removed. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setOffset } from '../clock/shifted-date.ts';
import type { StorageEndpoints } from '../storage/storage.ts';
import { appEnvironment, type Surroundings } from './app-environment.ts';
import { acquireDirectory, describeClaims } from './claims.mjs';
import { loadEnvironmentConfig, type PortName } from './environment-config.ts';
import { ENVIRONMENT_FILE, writeCaBundle, writeEnvironmentFile, writeTokens } from './environment-file.ts';
import { ensurePrivateDirectory } from './files.ts';
import type { LocalProcess } from './local-process.ts';
import type { HeldPort } from './ports.ts';
import { ProcessGroup, type UnexpectedEnd } from './process-group.ts';
import {
  firstStartProcess,
  functionsProcess,
  issuerProcess,
  loginDirectory,
  type Place,
  storageProcess,
  vaultProcess,
} from './roles.ts';
import type { SupervisorSettings } from './settings.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface RunOptions {
  readonly settings: SupervisorSettings;
  /** Absolute path of the checkout. */
  readonly checkout: string;
  /** Where progress goes, a line at a time. */
  readonly say: (line: string) => void;
  /** Called once with the app's address when everything is ready and environment.json is written. */
  readonly onReady: (baseUrl: string) => void;
  /** Aborted when the environment is to stop. */
  readonly stop: AbortSignal;
}

/** A run that failed: the message says what happened and what to do, the log file more. */
export class RunFailed extends Error {
  readonly logFile: string | null;
  constructor(message: string, logFile: string | null, cause?: unknown) {
    super(message, { cause });
    this.logFile = logFile;
  }
}

const LOCK_WAIT_MS = 60_000;

/**
 * Runs the environment until `stop` is aborted.
 * @returns complaints about processes that did not end well; empty after a clean stop
 * @throws RunFailed when it could not start or one of its processes died; by then all the others have ended
 */
export async function runEnvironment(options: RunOptions): Promise<string[]> {
  const { settings, say, stop } = options;
  const { stateDir } = settings;
  ensurePrivateDirectory(stateDir);
  const claimDirectory = join(stateDir, 'claims');
  const unlock = await lock(claimDirectory, stateDir, say, stop);
  if (unlock === null) return [];
  try {
    // A run that was killed could not remove it, and it must not be taken for this run's.
    rmSync(join(stateDir, ENVIRONMENT_FILE), { force: true });
    const clock = new VirtualClock(join(stateDir, 'clock.json'));
    setOffset(clock.offsetMs);
    const { config, ports } = await loadEnvironmentConfig(stateDir, settings.port);
    const group = new ProcessGroup({
      logDirectory: join(stateDir, 'logs'),
      claimDirectory,
      clockOffsetMs: clock.offsetMs,
    });
    const place: Place = { checkout: options.checkout, stateDir, config, machine: settings.machine };
    const over = new AbortController();
    let failure: unknown;
    try {
      const stopped = new Promise<void>((resolve) => {
        if (stop.aborted) resolve();
        stop.addEventListener('abort', () => resolve(), { once: true });
      });
      const died = group.firstDeath.then((death) => {
        throw new RunFailed(deathMessage(death), death.logFile);
      });
      const up = bringUp(options, place, ports, group, clock, over.signal);
      await Promise.race([up.then(() => stopped), stopped, died]);
    } catch (error) {
      failure = error;
    }
    over.abort();
    const complaints = await group.stop();
    await Promise.all(Object.values(ports).map((port) => port.release()));
    rmSync(join(stateDir, ENVIRONMENT_FILE), { force: true });
    if (failure !== undefined) throw failure;
    return complaints;
  } finally {
    unlock();
  }
}

/** @returns how to unlock; null when `stop` ended the waiting */
async function lock(
  directory: string,
  stateDir: string,
  say: (line: string) => void,
  stop: AbortSignal,
): Promise<(() => void) | null> {
  try {
    return await acquireDirectory(directory, 'supervisor', {
      waitMs: LOCK_WAIT_MS,
      signal: stop,
      onWait: (holders) => say(`Waiting for the run before this one to end: ${describeClaims(holders)}`),
    });
  } catch (error) {
    if (stop.aborted) return null;
    const { holders } = error as { holders?: { role: string; pid: number }[] };
    if (holders === undefined) throw error;
    throw new RunFailed(
      `${stateDir} is in use by ${describeClaims(holders)}, also after ${LOCK_WAIT_MS / 1000} s. ` +
        'Stop that run (Ctrl-C in its terminal), or choose another directory with EVERLEAF_STATE_DIR.',
      null,
      error,
    );
  }
}

/** Starts everything in order. Each step needs the ones before it. */
async function bringUp(
  { settings, checkout, say, onReady }: RunOptions,
  place: Place,
  ports: Readonly<Record<PortName, HeldPort>>,
  group: ProcessGroup,
  clock: VirtualClock,
  over: AbortSignal,
): Promise<void> {
  const { stateDir, config } = place;
  const free = (...names: PortName[]) => Promise.all(names.map((name) => ports[name].release()));

  say('Starting storage');
  await free('blob', 'queue', 'table');
  const storage = (await group.start(storageProcess(place))).info as unknown as StorageEndpoints;

  say('Starting the identity provider');
  await free('issuer');
  const identity = (await group.start(issuerProcess(place))).info as Surroundings['identity'];

  say('Starting the key vaults');
  await free('authorityVault', 'clientVault');
  const vault = await group.start(vaultProcess(place, identity.issuer));
  const { vaults } = vault.info as { vaults: Surroundings['vaults'] };

  const baseUrl = `http://127.0.0.1:${config.ports.functions}`;
  const surroundings: Surroundings = { config, baseUrl, storage, identity, vaults };
  const app = appEnvironment(surroundings, settings.policy, settings.machine);
  await writeTokens(stateDir, surroundings);

  say('Preparing the authority and the management cluster');
  ensurePrivateDirectory(loginDirectory(stateDir));
  const first = await group.run(firstStartProcess(place, app, progress(say)));
  if (first.how !== 'exit code 0') {
    throw new RunFailed(
      `The first start ended with ${first.how}. Run \`npm start\` again: it goes on where this one ended.`,
      first.logFile,
    );
  }

  say('Starting the functions');
  await free('functions');
  const functions = await group.start(functionsProcess(place, app));
  answerClockRequests(functions.process, clock, group);
  await writeCaBundle(stateDir, baseUrl);

  over.throwIfAborted();
  writeEnvironmentFile(stateDir, surroundings, {
    version: packageVersion(checkout),
    trustDomain: app['TRUST_DOMAIN'],
    processes: [{ role: 'supervisor', pid: process.pid }, ...group.members],
  });
  onReady(baseUrl);
}

/** The host asks for jumps of time on behalf of `POST /local/clock`; it gets its answer when all have made them. */
function answerClockRequests(host: LocalProcess, clock: VirtualClock, group: ProcessGroup): void {
  host.onMessage((message) => {
    if (message.type !== 'advance') return;
    const id = message['id'];
    clock
      .advance(Number(message['ms']), (offsetMs) => group.setClock(offsetMs))
      .then(
        (offsetMs) => host.send({ type: 'advanced', id, offsetMs }),
        (error: Error) => host.send({ type: 'advanced', id, offsetMs: clock.offsetMs, error: error.message }),
      );
  });
}

function progress(say: (line: string) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') say(`  ${line}`);
  };
}

function deathMessage({ role, how }: UnexpectedEnd): string {
  return (
    `The ${role} process ended unexpectedly (${how}), so the others were stopped. ` +
    'Run `npm start` again: nothing that was acknowledged is lost.'
  );
}

function packageVersion(checkout: string): string {
  return (JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as { version: string }).version;
}
