import { globSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CoreError, messageOf } from './core-errors.ts';
import type { FunctionApp } from './function-app.ts';

interface PackageJson {
  main?: string;
  type?: string;
}

// What the real worker tells its host about itself; the library adds its own (getWorkerCapabilities.ts).
const WORKER_CAPABILITIES = {
  RawHttpBodyBytes: 'true',
  RpcHttpTriggerMetadataRemoved: 'true',
  RpcHttpBodyOnly: 'true',
  IgnoreEmptyValuedRpcHttpHeaders: 'true',
  UseNullableValueDictionaryForHttp: 'true',
  WorkerStatus: 'true',
  TypedDataCollection: 'true',
  HandlesWorkerTerminateMessage: 'true',
};

/**
 * Loads every file that `main` of the app's package.json matches, then runs the appStart hooks.
 * Rules and words: src/startApp.ts and src/loadScriptFile.ts in azure-functions-nodejs-worker. Unlike the real worker,
 * which reports later and then shows an app without functions, this one fails at once.
 * @param appDir absolute path of the folder with package.json
 * @returns what the worker, the library included, tells of its capabilities
 * @throws CoreError naming the file that failed (with its `cause`), or what is missing
 */
export async function loadApp(app: FunctionApp, appDir: string): Promise<Readonly<Record<string, string>>> {
  const packageJson = readPackageJson(appDir);
  const pattern = packageJson.main;
  if (typeof pattern !== 'string' || pattern === '') {
    throw new CoreError(
      `${join(appDir, 'package.json')} has no "main": set it to the files that register functions.`,
    );
  }
  const files = matchFiles(appDir, pattern);
  if (files.length === 0) {
    throw new CoreError(
      `Worker was unable to load entry point "${pattern}": Found zero files matching the supplied pattern in ${appDir}. Was the app built?`,
    );
  }
  for (const file of files) await loadFile(app, appDir, file, packageJson);
  // Locks app.setup, and opens the library's own HTTP server when the app asked for streams.
  const capabilities = await app.programmingModel?.getCapabilities?.({ ...WORKER_CAPABILITIES });
  await app.executeHooks('appStart', app.hookContext(app.appLevelHookData, { functionAppDirectory: appDir }));
  if (app.functions.size === 0) {
    throw new CoreError(
      `No functions were registered by ${files.join(', ')}: each file that "main" matches should call app.http, app.timer or app.storageQueue when it is loaded.`,
    );
  }
  app.finishStartup();
  return capabilities ?? WORKER_CAPABILITIES;
}

async function loadFile(
  app: FunctionApp,
  appDir: string,
  file: string,
  packageJson: PackageJson,
): Promise<void> {
  const path = join(appDir, file);
  app.log({ level: 'debug', category: 'system', message: `Loading entry point file "${file}"` });
  app.currentEntryPoint = path;
  try {
    if (isESModule(path, packageJson)) await import(pathToFileURL(path).href);
    else createRequire(path)(path);
  } catch (error) {
    throw new CoreError(`Worker was unable to load entry point "${file}": ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    app.currentEntryPoint = undefined;
  }
  app.log({ level: 'debug', category: 'system', message: `Loaded entry point file "${file}"` });
}

function readPackageJson(appDir: string): PackageJson {
  const path = join(appDir, 'package.json');
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as PackageJson;
  } catch (error) {
    throw new CoreError(`Worker failed to load package.json: ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** Files only, no dot files, as globby does; sorted, which globby leaves to the file system. */
function matchFiles(appDir: string, pattern: string): string[] {
  return globSync(pattern, { cwd: appDir })
    .filter((file) => !basename(file).startsWith('.') && statSync(join(appDir, file)).isFile())
    .sort();
}

function isESModule(path: string, packageJson: PackageJson): boolean {
  if (path.endsWith('.mjs')) return true;
  if (path.endsWith('.cjs')) return false;
  return packageJson.type === 'module';
}
