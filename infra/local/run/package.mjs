/**
 * package/: the folder that `func azure functionapp publish` uploads from, and all that the app needs beside Node. The compiled
 * functions and the libraries they use are joined into one file, because a cold start waits for every file that it has to find,
 * read and link: several hundred of them when libraries stand in node_modules.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { build } from './build.mjs';
import { bundle } from './bundle.mjs';
import { Refusal } from './refusal.mjs';
import { withSetupLock } from './setup-lock.mjs';
import { thirdPartyNotices } from './third-party-notices.mjs';

/** Below the package; package.json's main, which the worker reads as a glob. */
const ENTRY_POINT = 'dist/everleaf.js';

/** Left over only by a kill, and swept away here. */
const TEMPORARY = /^package-\w+\.tmp$/;

/** A zip holds the times of its files: with one time for all, equal folders make equal zips. The oldest that a zip can say, and a day. */
const FILE_TIME = new Date('1980-01-02T00:00:00Z');

/** Without this file `func` and azd would leave out what their defaults say, source maps among it. */
const FUNCIGNORE = '# Everything here is the app; `npm run package` leaves out the rest.\n';

/**
 * Builds, and makes the package.
 * @param target a folder that is empty or not there; without one it is package/ of the checkout, whatever was in that before
 * @returns the folder, how many files it has, and their bytes
 * @throws Refusal when the sources do not compile, or the target has something in it
 */
export async function makePackage(checkout, node, target) {
  const folder = target === undefined ? join(checkout, 'package') : resolve(target);
  if (target !== undefined && existsSync(folder) && readdirSync(folder).length > 0) {
    throw new Refusal(`${folder} has something in it. Name an empty folder, or none for package/.`);
  }
  await build(checkout, node);
  // Nobody builds meanwhile: dist stays as it is.
  const files = await withSetupLock(checkout, async () => {
    const made = await contents(checkout);
    if (target === undefined) replace(checkout, folder, made);
    else write(folder, made);
    return made;
  });
  const bytes = [...files.values()].reduce((sum, content) => sum + content.length, 0);
  return { folder, files: files.size, bytes };
}

/** Whole or not at all: nobody publishes half a package. */
function replace(checkout, folder, files) {
  for (const name of readdirSync(checkout)) if (TEMPORARY.test(name)) remove(join(checkout, name));
  const fresh = join(checkout, `package-${process.pid}.tmp`);
  try {
    write(fresh, files);
    remove(folder);
    renameSync(fresh, folder);
  } finally {
    remove(fresh);
  }
}

/** Every file of the package by its path in it: the same for the same sources and packages, on every machine. */
async function contents(checkout) {
  const { outputs, inputs } = await bundle(checkout, ENTRY_POINT);
  const text = (content) => Buffer.from(content);
  return new Map([
    ...outputs,
    ['package.json', text(packageJson(checkout))],
    ['host.json', readFileSync(join(checkout, 'host.json'))],
    ['LICENSE', readFileSync(join(checkout, 'LICENSE'))],
    ['THIRD-PARTY-NOTICES.txt', text(thirdPartyNotices(checkout, inputs))],
    ['.funcignore', text(FUNCIGNORE)],
  ]);
}

/** What a worker reads, and no dependencies: they are in the code. */
function packageJson(checkout) {
  const { name, version, description, license, engines } = JSON.parse(
    readFileSync(join(checkout, 'package.json'), 'utf8'),
  );
  const type = 'module';
  const all = {
    name,
    version,
    description,
    license,
    private: true,
    type,
    main: ENTRY_POINT,
    engines,
    dependencies: {},
  };
  return `${JSON.stringify(all, null, 2)}\n`;
}

function write(folder, files) {
  for (const [path, content] of files) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content, { mode: 0o644 });
    utimesSync(file, FILE_TIME, FILE_TIME);
  }
}

function remove(path) {
  rmSync(path, { recursive: true, force: true });
}
