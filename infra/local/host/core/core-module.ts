import Module from 'node:module';
import { CoreError } from './core-errors.ts';
import type {
  FunctionCallback,
  FunctionMetadata,
  HookCallback,
  LogCategory,
  LogLevel,
  ProgrammingModel,
} from './core-types.ts';
import type { FunctionApp } from './function-app.ts';

/** The versions that the app sees: of the worker and the host whose behaviour this one follows. */
export const WORKER_VERSION = '3.10.1';
export const HOST_VERSION = '4.1036.2';

type Loader = { _load: (request: string, ...rest: unknown[]) => unknown };

let current: FunctionApp | undefined;
// The library announces its model once a process, whichever app is loaded by then.
let defaultProgrammingModel: ProgrammingModel | undefined;
let isInstalled = false;

class Disposable {
  readonly #onDispose: () => unknown;
  constructor(onDispose: () => unknown) {
    this.#onDispose = onDispose;
  }
  static from(...disposables: { dispose(): unknown }[]): Disposable {
    return new Disposable(() => {
      for (const disposable of disposables) disposable.dispose();
    });
  }
  dispose(): unknown {
    return this.#onDispose();
  }
}

const coreModule = {
  version: WORKER_VERSION,
  hostVersion: HOST_VERSION,
  Disposable,
  registerFunction: (metadata: FunctionMetadata, callback: FunctionCallback) =>
    currentApp().registerFunction(metadata, callback),
  registerHook: (name: string, callback: HookCallback) => currentApp().registerHook(name, callback),
  setProgrammingModel: (model: ProgrammingModel) => {
    defaultProgrammingModel = model;
    currentApp().programmingModel = model;
  },
  getProgrammingModel: () => currentApp().programmingModel,
  log: (level: LogLevel, category: LogCategory, message: string) =>
    currentApp().log({ level, category, message }),
};

/**
 * Makes `require('@azure/functions-core')` answer for `app` from here on. As in the real worker the module exists
 * for `require` only, and a process holds one app at a time.
 * @returns how to take the app out again
 * @throws CoreError while another app is in
 */
export function enterApp(app: FunctionApp): () => void {
  if (current !== undefined) {
    throw new CoreError('This process already holds a function app: stop that host before starting another.');
  }
  installLoader();
  app.programmingModel = defaultProgrammingModel;
  current = app;
  return () => {
    if (current === app) current = undefined;
  };
}

function currentApp(): FunctionApp {
  if (current === undefined) throw new CoreError('No function app is loaded in this process.');
  return current;
}

function installLoader(): void {
  if (isInstalled) return;
  isInstalled = true;
  const loader = Module as unknown as Loader;
  const load = loader._load;
  loader._load = function (request, ...rest) {
    return request === '@azure/functions-core' ? coreModule : load.call(this, request, ...rest);
  };
}
