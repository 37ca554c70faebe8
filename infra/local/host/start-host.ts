import { Activity } from './activity.ts';
import { createAdminEndpoint } from './control/admin-endpoint.ts';
import { ProblemError } from './control/json-exchange.ts';
import { createLocalEndpoint } from './control/local-endpoint.ts';
import { settle } from './control/settle.ts';
import { loadApp } from './core/app-loader.ts';
import { enterApp } from './core/core-module.ts';
import { FunctionApp } from './core/function-app.ts';
import { createRunner } from './function-runner.ts';
import { answerByFunction } from './http/function-endpoint.ts';
import { startHttpServer } from './http/http-server.ts';
import { createRouter } from './http/routing/router.ts';
import { HostLog, type LogSink, printLine } from './log.ts';
import { AppSettings } from './settings/app-settings.ts';
import { bodySizeLimit } from './settings/body-size-limit.ts';
import { readHostJson } from './settings/host-json.ts';
import { TriggerListeners } from './trigger-listeners.ts';
import { type HttpFunction, type TriggeredFunction, toTriggeredFunction } from './triggers.ts';

/** What a functions host is started with; the JSON of EVERLEAF_PROCESS_CONFIG has the first five. */
export interface HostOptions {
  /** Absolute path of the folder with package.json (its "main" is a glob) and host.json. */
  readonly appDir: string;
  /** Port on 127.0.0.1; 0 for any free one. */
  readonly port: number;
  readonly masterKey: string;
  /** Names this app's timers in the storage; 1 to 32 of a-z, 0-9 and single hyphens. */
  readonly hostId: string;
  /** Stands for the app setting AzureWebJobsStorage. */
  readonly storageConnectionString?: string;
  /** App settings; by default the environment of the process. */
  readonly settings?: Readonly<Record<string, string | undefined>>;
  /** Where log lines go; by default standard output and error. */
  readonly logSink?: LogSink;
  /** Moves the virtual time of every process of the environment, this one included. Without it the clock stands. */
  readonly advance?: (ms: number) => Promise<void>;
  /** Called when a function has not ended after functionTimeout and a grace: should end the process. Without it the
   * function's code runs on. */
  readonly onFunctionTimeout?: () => void;
  /** How long a stop waits for what runs; 10 s by default. */
  readonly drainMs?: number;
  /** Calls back after each jump of virtual time; returns how to stop that. */
  readonly onClockChange?: (listener: () => void) => () => void;
}

export interface RunningHost {
  readonly baseUrl: string;
  /** Names, in alphabetical order. */
  readonly functions: readonly string[];
  /** Waits until all is idle, see control/settle.ts. */
  settle(): Promise<void>;
  /** Takes no new work, lets what runs end (10 s at most by default), runs the appTerminate hooks, closes. */
  stop(): Promise<void>;
}

// How long a stop waits for what runs, and then for the appTerminate hooks; the real host kills a worker after 5 s.
const DRAIN_MS = 10_000;
const TERMINATE_HOOKS_MS = 5_000;

/**
 * Loads a function app and runs it: HTTP, timers, storage queues, the admin API, and the /local paths.
 * @throws Error naming what is wrong with host.json, with an entry file, with a function's settings or with the storage
 */
export async function startHost(options: HostOptions): Promise<RunningHost> {
  if (!/^[a-z0-9](-?[a-z0-9]){0,31}$/.test(options.hostId)) {
    throw new Error(`The host id "${options.hostId}" must be 1 to 32 of a-z, 0-9 and single hyphens.`);
  }
  const hostJson = readHostJson(options.appDir);
  const settings = new AppSettings(options.settings ?? process.env, options.storageConnectionString);
  const log = new HostLog(hostJson.logLevels, options.logSink ?? printLine);
  const app = new FunctionApp((line) => log.worker(line));
  const leave = enterApp(app);
  const activity = new Activity();
  const cleanUps: (() => Promise<void> | void)[] = [leave];
  try {
    const capabilities = await loadApp(app, options.appDir);
    const functions = toTriggeredFunctions(app);
    const { functionTimeoutMs } = hostJson;
    const onTimeout = options.onFunctionTimeout;
    const run = createRunner({ app, activity, log, functionTimeoutMs, onTimeout });
    const listeners = new TriggerListeners({
      functions,
      hostJson,
      hostId: options.hostId,
      settings,
      run,
      log,
    });
    const settleAll = () => settle(activity, listeners.all);

    const isHttp = (one: { type: string }): one is HttpFunction => one.type === 'http';
    const router = createRouter(functions.filter(isHttp), hostJson.routePrefix);
    const { masterKey, hostId } = options;
    const bodyLimit = bodySizeLimit(settings);
    const httpUri = capabilities['HttpUri'];
    const server = await startHttpServer(
      options.port,
      {
        functions: (path, request, response) =>
          answerByFunction({ router, run, masterKey, bodyLimit, httpUri, log }, path, request, response),
        admin: createAdminEndpoint({
          masterKey,
          hostId,
          functions,
          run,
          manualInput: (target, input) => listeners.manualInput(target, input),
        }),
        local: createLocalEndpoint({
          advance: (ms) => listeners.holdDuring(() => (options.advance ?? refuseAdvance)(ms)),
          settle: settleAll,
        }),
      },
      log,
    );
    cleanUps.push(() => server.close());
    if (options.onClockChange !== undefined) {
      cleanUps.push(options.onClockChange(() => listeners.clockChanged()));
    }
    await listeners.start(new URL(server.baseUrl).port);

    const drain = async () => {
      await listeners.stop();
      await activity.currentOnes();
      await listeners.drained();
    };
    let stopped: Promise<void> | undefined;
    const stop = async () => {
      server.stopListening();
      try {
        await within(options.drainMs ?? DRAIN_MS, drain());
        const hooks = app.executeHooks('appTerminate', app.hookContext(app.appLevelHookData, {}));
        await within(TERMINATE_HOOKS_MS, hooks);
      } finally {
        await runCleanUps(cleanUps);
      }
    };
    warnOfRetryPolicies(functions, log);
    log.host(
      'information',
      `${functions.length} functions loaded: ${functions.map(({ name }) => name).join(', ')}`,
    );
    return {
      baseUrl: server.baseUrl,
      functions: functions.map(({ name }) => name),
      settle: settleAll,
      stop: () => {
        stopped ??= stop();
        return stopped;
      },
    };
  } catch (error) {
    await runCleanUps(cleanUps);
    throw error;
  }
}

/** In the order of their names, which routing goes by. */
function toTriggeredFunctions(app: FunctionApp): TriggeredFunction[] {
  const lower = (one: TriggeredFunction) => one.name.toLowerCase();
  const functions = [...app.functions.values()]
    .map(toTriggeredFunction)
    .sort((a, b) => (lower(a) < lower(b) ? -1 : 1));
  for (const [at, one] of functions.entries()) {
    const next = functions[at + 1];
    if (next !== undefined && lower(one) === lower(next)) {
      throw new Error(
        `The function names "${one.name}" and "${next.name}" differ in case only; the host knows no case.`,
      );
    }
  }
  return functions;
}

/** The real host's triggers say themselves whether they support retries; of the three here only the timer does. */
function warnOfRetryPolicies(functions: readonly TriggeredFunction[], log: HostLog): void {
  for (const { type, name, retry } of functions) {
    if (type === 'timer' || retry === undefined) continue;
    log.function(
      'warning',
      name,
      'The retry policy is not applied: of the triggers here only timers support it.',
    );
  }
}

async function refuseAdvance(): Promise<void> {
  throw new ProblemError(
    501,
    'This host was started by itself, so nothing moves its clock: use `npm start`.',
  );
}

async function runCleanUps(cleanUps: (() => Promise<void> | void)[]): Promise<void> {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
}

/** Waits for `work`, but not longer than `ms`; what it throws is thrown. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    work,
    new Promise((resolve) => {
      timer = setTimeout(resolve, ms);
    }),
  ]).finally(() => clearTimeout(timer));
}
