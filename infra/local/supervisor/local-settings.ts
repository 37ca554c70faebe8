/**
 * local.settings.json in the checkout, by which Core Tools and other hosts learn the app's settings
 * (https://learn.microsoft.com/azure/azure-functions/functions-develop-local#local-settings-file). There is one of them in a
 * checkout but any number of state directories, and a developer may keep one of his own.
 */
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describeClaims, liveClaims } from './claims.mjs';
import { readTextFile, writePrivateFile } from './files.ts';

const LOCAL_SETTINGS_FILE = 'local.settings.json';

/** The setting that makes clock/preload.ts follow the time, and that tells our file from a developer's. */
const CLOCK_FILE_SETTING = 'EVERLEAF_CLOCK_FILE';
/** In the state directory. */
export const CLOCK_FILE = 'clock.json';

/**
 * Sees to it that the file may be written.
 * @throws Error when it is a developer's own, or that of another run that lives
 */
export function refuseForeignLocalSettings(checkout: string, stateDir: string): void {
  const path = join(checkout, LOCAL_SETTINGS_FILE);
  const owner = ownerOf(path);
  if (owner === null || owner === stateDir) return;
  if (owner === undefined) {
    throw new Error(
      `${path} is there and not of our making, and \`npm run services\` would overwrite it. Move it away, and put what ` +
        'you need of it into the environment of the host.',
    );
  }
  const holders = liveClaims(join(owner, 'claims'));
  if (holders.length === 0) return;
  throw new Error(
    `${path} belongs to the services on ${owner}: ${describeClaims(holders)}. Stop them (Ctrl-C in their terminal), or ` +
      'use another checkout.',
  );
}

/**
 * Writes the file (0600: it holds the key of the storage stand-in) in one step.
 * @param app the app's settings
 * @param port where the host is to listen. CORS is left out, which allows no origin.
 * @throws Error as refuseForeignLocalSettings
 */
export function writeLocalSettings(
  checkout: string,
  stateDir: string,
  app: Readonly<Record<string, string>>,
  port: number,
): void {
  refuseForeignLocalSettings(checkout, stateDir);
  const settings = {
    IsEncrypted: false,
    Values: {
      FUNCTIONS_WORKER_RUNTIME: 'node',
      ...app,
      [CLOCK_FILE_SETTING]: join(stateDir, CLOCK_FILE),
    },
    Host: { LocalHttpPort: port },
  };
  writePrivateFile(join(checkout, LOCAL_SETTINGS_FILE), `${JSON.stringify(settings, null, 2)}\n`);
}

/** Removes the file when it is of a run on this state directory; another's stays. */
export function removeLocalSettings(checkout: string, stateDir: string): void {
  const path = join(checkout, LOCAL_SETTINGS_FILE);
  if (ownerOf(path) === stateDir) rmSync(path, { force: true });
}

/** The state directory whose run wrote the file; undefined when we did not write it, null when there is none. */
function ownerOf(path: string): string | null | undefined {
  const text = readTextFile(path);
  if (text === null) return null;
  try {
    const { Values } = JSON.parse(text) as { Values?: Record<string, unknown> };
    const clockFile = Values?.[CLOCK_FILE_SETTING];
    return typeof clockFile === 'string' ? dirname(clockFile) : undefined;
  } catch {
    // With a comment in it, for example, as Core Tools allow and we never write.
    return undefined;
  }
}
