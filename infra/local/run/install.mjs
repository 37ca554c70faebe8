/** The packages: installed when they are missing or not those of package-lock.json. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runUntilEnd } from './child.mjs';
import { Refusal } from './refusal.mjs';
import { withSetupLock } from './setup-lock.mjs';

const PINNED_NODE = 22;

/**
 * @returns the path of the pinned Node
 * @throws Refusal saying what is missing and what to do
 */
export async function ensureInstalled(checkout) {
  if (!isInstalled(checkout)) {
    await withSetupLock(checkout, async () => {
      // Whoever held the lock before us may have done it.
      if (!isInstalled(checkout)) await install(checkout);
    });
  }
  return pinnedNode(checkout);
}

function isInstalled(checkout) {
  const stamp = readText(stampOf(checkout));
  if (stamp === fingerprint(checkout)) return true;
  // A developer's own `npm ci` or `npm install` is as good as ours.
  if (!isInstalledByHand(checkout)) return false;
  writeFileSync(stampOf(checkout), fingerprint(checkout));
  return true;
}

function stampOf(checkout) {
  return join(checkout, 'node_modules/.everleaf-install');
}

/** What the packages depend on: the lockfile, and the machine (some packages are programs for one platform). */
function fingerprint(checkout) {
  const lock = createHash('sha256')
    .update(readFileSync(join(checkout, 'package-lock.json')))
    .digest('hex');
  return `${lock} ${process.platform} ${process.arch}\n`;
}

/**
 * npm writes what it has installed into node_modules/.package-lock.json, as the last thing it does
 * (npm docs, package-lock.json, "Hidden Lockfiles").
 */
function isInstalledByHand(checkout) {
  const hidden = readText(join(checkout, 'node_modules/.package-lock.json'));
  if (hidden === null) return false;
  const wanted = JSON.parse(readFileSync(join(checkout, 'package-lock.json'), 'utf8')).packages;
  const found = JSON.parse(hidden).packages;
  const same = (path) => wanted[path]?.version === found[path]?.version;
  const needed = Object.keys(wanted).filter((path) => path !== '' && !wanted[path].optional);
  return Object.keys(found).every(same) && needed.every(same) && isRunnable(nodePath(checkout));
}

async function install(checkout) {
  console.log('Installing packages (npm ci), about a minute the first time');
  // Without npm's warnings: under an older Node than 22 nearly every package would have one, and they run under the pinned one.
  const args = ['ci', '--no-audit', '--no-fund', '--include=dev', '--loglevel=error'];
  // Inside `npm start` npm says where it is; that is the one that works on this machine.
  const npm = process.env['npm_execpath'];
  const code =
    npm !== undefined && /npm-cli\.c?js$/.test(npm)
      ? await runUntilEnd(process.execPath, [npm, ...args], { cwd: checkout })
      : await runNpmOfPath(args, checkout);
  if (code !== 0) {
    throw new Refusal(
      `npm ci ended with exit code ${code}; its own words stand above. Everleaf needs the npm registry once, for the first ` +
        'start: check the network and `npm config get registry`, then run the command again.',
      code,
    );
  }
  pinnedNode(checkout);
  writeFileSync(stampOf(checkout), fingerprint(checkout));
}

async function runNpmOfPath(args, checkout) {
  if (spawnSync('npm', ['--version']).error !== undefined) {
    throw new Refusal(
      'npm is not on the PATH. It comes with Node: install the current LTS from https://nodejs.org.',
    );
  }
  return runUntilEnd('npm', args, { cwd: checkout });
}

function pinnedNode(checkout) {
  const path = nodePath(checkout);
  if (!isRunnable(path)) {
    throw new Refusal(
      `${path} does not run. The package "node" fetches it in its install script; if npm is told not to run those ` +
        '(`npm config get ignore-scripts`), run: npm ci --ignore-scripts=false',
    );
  }
  return path;
}

function nodePath(checkout) {
  return join(checkout, 'node_modules/.bin/node');
}

function isRunnable(path) {
  const { error, status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  return error === undefined && status === 0 && stdout.startsWith(`v${PINNED_NODE}.`);
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}
