import { CoreError, CoreRangeError, ReadOnlyError } from './core-errors.ts';
import {
  type FunctionCallback,
  type FunctionMetadata,
  type HookCallback,
  type HookData,
  type HookName,
  LOG_LEVELS,
  type LogCategory,
  type LogLevel,
  type ProgrammingModel,
} from './core-types.ts';
import { verifyMetadata } from './metadata-check.ts';

export interface RegisteredFunction {
  readonly metadata: FunctionMetadata;
  readonly callback: FunctionCallback;
  /** The entry file that was being loaded, for messages. */
  readonly scriptFile: string;
}

/** What the real worker calls Disposable: `dispose()` takes a registration back. */
export interface Registration {
  dispose(): void;
}

/** A log line as it leaves the worker: a log hook may have changed or silenced it. */
export interface WorkerLog {
  level: LogLevel;
  category: LogCategory;
  message: string;
  functionName?: string;
  invocationId?: string;
}

/** What an app registers in one process: functions, hooks, and its programming model. */
export class FunctionApp {
  readonly functions = new Map<string, RegisteredFunction>();
  /** Shared by appStart and appTerminate hooks. */
  readonly appLevelHookData: HookData = {};
  /** Shared by all hooks. */
  readonly appHookData: HookData = {};
  programmingModel: ProgrammingModel | undefined;
  currentEntryPoint: string | undefined;
  readonly #hooks: Record<HookName, HookCallback[]> = {
    preInvocation: [],
    postInvocation: [],
    appStart: [],
    appTerminate: [],
    log: [],
  };
  readonly #write: (log: WorkerLog) => void;
  #hasFinishedStartup = false;

  constructor(write: (log: WorkerLog) => void) {
    this.#write = write;
  }

  /** From here on registering is an error, as it is once the real host has read the list of functions. */
  finishStartup(): void {
    this.#hasFinishedStartup = true;
  }

  /**
   * Takes a function of the app in.
   * Rules and words: src/coreApi/registerFunction.ts in azure-functions-nodejs-worker.
   * @throws CoreError after the start, for a name that is taken, and for metadata that the real worker could not send
   */
  registerFunction(metadata: FunctionMetadata, callback: FunctionCallback): Registration {
    if (this.#hasFinishedStartup) {
      throw new CoreError('A function can only be registered during app startup.');
    }
    const id = metadata.functionId ?? metadata.name;
    if (this.functions.has(id)) {
      throw new CoreError(`A function with id "${id}" has already been registered.`);
    }
    verifyMetadata(metadata);
    const scriptFile = this.currentEntryPoint ?? 'unknown';
    this.functions.set(id, { metadata: { ...metadata, functionId: id }, callback, scriptFile });
    return {
      dispose: () => {
        if (this.#hasFinishedStartup) {
          throw new CoreError('A function can only be disposed during app startup.');
        }
        this.functions.delete(id);
      },
    };
  }

  /** @throws CoreRangeError for a hook that does not exist */
  registerHook(name: string, callback: HookCallback): Registration {
    if (!Object.hasOwn(this.#hooks, name)) throw new CoreRangeError(`Unrecognized hook "${name}"`);
    const hooks = this.#hooks[name as HookName];
    hooks.push(callback);
    return {
      dispose: () => {
        const at = hooks.indexOf(callback);
        if (at > -1) hooks.splice(at, 1);
      },
    };
  }

  /**
   * Runs the hooks in the order of their registration, with the worker's lines around them; one that throws ends the
   * row (src/hooks/executeHooks.ts in azure-functions-nodejs-worker).
   */
  async executeHooks(
    name: Exclude<HookName, 'log'>,
    context: object,
    invocation: Pick<WorkerLog, 'functionName' | 'invocationId'> = {},
  ): Promise<void> {
    const hooks = [...this.#hooks[name]];
    if (hooks.length === 0) return;
    const say = (message: string) => this.log({ level: 'debug', category: 'system', message, ...invocation });
    say(`Executing ${hooks.length} "${name}" hooks`);
    for (const hook of hooks) await hook(context);
    say(`Executed "${name}" hooks`);
  }

  /**
   * Sends one line to the host. Log hooks see every line and may change the user's, not the system's; a hook that
   * throws is ignored (src/WorkerContext.ts in azure-functions-nodejs-worker).
   */
  log(log: WorkerLog, invocation?: { hookData: HookData; invocationContext: unknown }): void {
    const sent = { ...log };
    try {
      const context = this.hookContext(invocation?.hookData ?? {}, {
        level: log.level,
        message: log.message,
      }) as { level: LogLevel; message: string };
      readOnly(context, { category: log.category, invocationContext: invocation?.invocationContext });
      for (const hook of this.#hooks.log) hook(context);
      if (log.category === 'user') {
        sent.message = context.message;
        if (LOG_LEVELS.includes(context.level)) sent.level = context.level;
      }
    } catch {
      // A hook must not be able to keep the line from the log.
    }
    if (sent.level !== 'none') this.#write(sent);
  }

  /** A hook's context: data that may be filled but not replaced, and `writable` members that may. */
  hookContext<T extends object>(hookData: HookData, writable: T): T {
    return readOnly({ ...writable }, { hookData, appHookData: this.appHookData });
  }
}

/** Adds members whose assignment throws in the worker's words. */
export function readOnly<T extends object>(target: T, members: Record<string, unknown>): T {
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(target, name, {
      enumerable: true,
      get: () => value,
      set: () => {
        throw new ReadOnlyError(name);
      },
    });
  }
  return target;
}
