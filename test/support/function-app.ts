import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LogSink } from '../../infra/local/host/log.ts';
import { type HostOptions, type RunningHost, startHost } from '../../infra/local/host/start-host.ts';

const NODE_MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));

export interface FunctionAppFiles {
  /** File name below functions/ to its source; each begins where the imports end, see {@link HEAD}. */
  readonly functions: Readonly<Record<string, string>>;
  readonly hostJson?: unknown;
  readonly packageJson?: Readonly<Record<string, unknown>>;
}

/** What functions tell the test: `calls` is one array in the process, shared with the files of the app. */
export const calls: Record<string, unknown>[] = [];
(globalThis as unknown as { calls: unknown[] }).calls = calls;

const HEAD = "import { app } from '@azure/functions';\n";

/** Writes a function app into a new folder; the official library is the project's own. */
export async function writeFunctionApp(
  files: FunctionAppFiles,
): Promise<{ appDir: string; remove(): Promise<void> }> {
  const appDir = await mkdtemp(join(tmpdir(), 'everleaf-app-'));
  await mkdir(join(appDir, 'functions'));
  await symlink(NODE_MODULES, join(appDir, 'node_modules'));
  const packageJson = { type: 'module', main: 'functions/*', ...files.packageJson };
  await writeFile(join(appDir, 'package.json'), JSON.stringify(packageJson));
  await writeFile(join(appDir, 'host.json'), JSON.stringify(files.hostJson ?? { version: '2.0' }));
  for (const [name, source] of Object.entries(files.functions)) {
    const head = name.endsWith('.cjs') ? '' : HEAD;
    await writeFile(join(appDir, 'functions', name), head + source);
  }
  return { appDir, remove: () => rm(appDir, { recursive: true, force: true }) };
}

export interface TestHost extends RunningHost {
  /** Every log line so far. */
  readonly lines: string[];
}

export const MASTER_KEY = 'the-master-key-of-a-test';

/**
 * Writes an app, starts it in this process, and removes it at the stop. A process holds one app at a time, and a
 * module is loaded once, so every start is a new copy.
 */
export async function startFunctionApp(
  files: FunctionAppFiles,
  options: Partial<HostOptions> = {},
): Promise<TestHost> {
  const { appDir, remove } = await writeFunctionApp(files);
  const lines: string[] = [];
  const logSink: LogSink = (_, line) => lines.push(line);
  try {
    const host = await startHost({
      appDir,
      port: 0,
      masterKey: MASTER_KEY,
      hostId: 'test-host',
      settings: {},
      logSink,
      ...options,
    });
    return {
      ...host,
      lines,
      stop: async () => {
        await host.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
