/** One run of the local environment, from the lock on its state directory to the last file removed. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setOffset } from '../clock/shifted-date.ts';
import { appEnvironment } from './app-environment.ts';
import { bringUpStandIns } from './bring-up.ts';
import { acquireDirectory, describeClaims } from './claims.mjs';
import { startClockServer } from './clock-server.ts';
import { type Command, commandLine } from './command.ts';
import { loadEnvironmentConfig, type PortName } from './environment-config.ts';
import {
  ENVIRONMENT_FILE,
  type Environment,
  writeCaBundle,
  writeEnvironmentFile,
} from './environment-file.ts';
import { ensurePrivateDirectory } from './files.ts';
import type { LocalProcess } from './local-process.ts';
import {
  CLOCK_FILE,
  refuseForeignLocalSettings,
  removeLocalSettings,
  writeLocalSettings,
} from './local-settings.ts';
import type { HeldPort } from './ports.ts';
import { ProcessGroup, type UnexpectedEnd } from './process-group.ts';
import { functionsProcess, type Place } from './roles.ts';
import { RunFailed } from './run-failed.ts';
import type { SupervisorSettings } from './settings.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface RunOptions {
  readonly command: Command;
  readonly settings: SupervisorSettings;
  /** Absolute path of the checkout. */
  readonly checkout: string;
  /** Where progress goes, a line at a time. */
  readonly say: (line: string) => void;
  /** Called once with what stands in environment.json, when everything is ready and it is written. */
  readonly onReady: (environment: Environment) => void;
  /** Aborted when the environment is to stop. */
  readonly stop: AbortSignal;
}

const LOCK_WAIT_MS = 60_000;

/**
 * Runs the environment until `stop` is aborted.
 * @returns complaints about processes that did not end well; empty after a clean stop
 * @throws RunFailed when it could not start or one of its processes died; by then all the others have ended
 */
export async function runEnvironment(options: RunOptions): Promise<string[]> {
  const { settings, checkout, say, stop } = options;
  const { stateDir } = settings;
  ensurePrivateDirectory(stateDir);
  const claimDirectory = join(stateDir, 'claims');
  const unlock = await lock(claimDirectory, stateDir, say, stop);
  if (unlock === null) return [];
  try {
    // A run that was killed could not remove them, and they must not be taken for this run's.
    removeLocalSettings(checkout, stateDir);
    rmSync(join(stateDir, ENVIRONMENT_FILE), { force: true });
    if (options.command === 'services') refuseForeignLocalSettings(checkout, stateDir);
    const clock = new VirtualClock(join(stateDir, CLOCK_FILE));
    setOffset(clock.offsetMs);
    const { config, ports } = await loadEnvironmentConfig(stateDir, settings.port);
    const group = new ProcessGroup({
      logDirectory: join(stateDir, 'logs'),
      claimDirectory,
      clockOffsetMs: clock.offsetMs,
    });
    const place: Place = { checkout, stateDir, config, machine: settings.machine };
    const over = new AbortController();
    let failure: unknown;
    try {
      const stopped = new Promise<void>((resolve) => {
        if (stop.aborted) resolve();
        stop.addEventListener('abort', () => resolve(), { once: true });
      });
      const died = group.firstDeath.then((death) => {
        throw new RunFailed(deathMessage(death, options.command), death.logFile);
      });
      const up = bringUp(options, place, ports, group, clock, over.signal);
      await Promise.race([up.then(() => stopped), stopped, died]);
    } catch (error) {
      failure = error;
    }
    over.abort();
    const complaints = await group.stop();
    await Promise.all(Object.values(ports).map((port) => port.release()));
    removeLocalSettings(checkout, stateDir);
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

/** Starts everything in order; the last thing is environment.json. */
async function bringUp(
  options: RunOptions,
  place: Place,
  ports: Readonly<Record<PortName, HeldPort>>,
  group: ProcessGroup,
  clock: VirtualClock,
  over: AbortSignal,
): Promise<void> {
  const { command, settings, say } = options;
  const { policy } = settings;
  const surroundings = await bringUpStandIns({ command, place, ports, group, policy, say });
  let localUrl = surroundings.baseUrl;
  if (command === 'start') {
    say('Starting the functions');
    await ports.functions.release();
    const app = appEnvironment(surroundings, policy, settings.machine);
    const functions = await group.start(functionsProcess(place, app));
    answerClockRequests(functions.process, clock, group);
    await writeCaBundle(place.stateDir, surroundings.baseUrl);
  } else {
    await Promise.all([ports.functions.release(), ports.clock.release()]);
    const advance = (ms: number) => clock.advance(ms, (offsetMs) => group.setClock(offsetMs));
    const server = await startClockServer(place.config.ports.clock, advance);
    over.addEventListener('abort', () => server.close(), { once: true });
    if (over.aborted) server.close();
    localUrl = server.baseUrl;
  }
  over.throwIfAborted();
  if (command === 'services') {
    // What a machine has in its environment, the host finds there by itself.
    const app = appEnvironment(surroundings, policy, {});
    writeLocalSettings(place.checkout, place.stateDir, app, place.config.ports.functions);
  }
  options.onReady(
    writeEnvironmentFile(place.stateDir, surroundings, {
      version: packageVersion(place.checkout),
      localUrl,
      trustDomain: policy['TRUST_DOMAIN'],
      processes: [{ role: 'supervisor', pid: process.pid }, ...group.members],
    }),
  );
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

function deathMessage({ role, how }: UnexpectedEnd, command: Command): string {
  return (
    `The ${role} process ended unexpectedly (${how}), so the others were stopped. ` +
    `Run \`${commandLine(command)}\` again: nothing that was acknowledged is lost.`
  );
}

function packageVersion(checkout: string): string {
  return (JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as { version: string }).version;
}
