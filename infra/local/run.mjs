/**
 * `npm start`, `npm run services`, `npm run demo`, `npm run soak`, `npm run restore` and `npm test` on a fresh clone: plain
 * JavaScript for whatever Node (20 or newer) is on the machine. It sees to it that the packages are there, then runs
 * everything else under the Node that package.json pins.
 *
 *   node infra/local/run.mjs start            build, then the whole environment until Ctrl-C
 *   node infra/local/run.mjs services         the same without the functions host, for `func start`
 *   node infra/local/run.mjs demo             build, then the story of Everleaf on the terminal
 *   node infra/local/run.mjs soak             all of the following, one after the other
 *   node infra/local/run.mjs soak authorities ten years of rollovers that five hundred agents do not notice
 *   node infra/local/run.mjs soak kill        fifty SIGKILLs over one environment, which stays whole
 *   node infra/local/run.mjs soak fuzz        ten thousand requests, good and bad, to every route
 *   node infra/local/run.mjs test [kind ...]  format, types, unit, contract, scenario, infra, architecture, e2e
 *   node infra/local/run.mjs restore          puts a backup back into an empty place; see docs/restore.md
 *   node infra/local/run.mjs verify-audit     holds the audit log against its checkpoints; see cli/verify-audit.ts
 *   node infra/local/run.mjs package [folder] build, then package/, which `func azure functionapp publish` uploads from
 *   node infra/local/run.mjs bench            build, then what everything costs, as a table and in bench-results.json
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './run/build.mjs';
import { runUntilEnd } from './run/child.mjs';
import { ensureInstalled } from './run/install.mjs';
import { Refusal } from './run/refusal.mjs';
import { runSoak } from './run/soak.mjs';
import { runTests } from './run/tests.mjs';

const OLDEST_NODE = 20;
const checkout = join(dirname(fileURLToPath(import.meta.url)), '../..');

const supervisor = join(checkout, 'infra/local/supervisor/main.ts');

const commands = {
  start: async (node) => {
    await build(checkout, node);
    return runUntilEnd(node, [supervisor], { tied: true });
  },
  services: async (node) => {
    await build(checkout, node);
    return runUntilEnd(node, [supervisor, 'services'], { tied: true });
  },
  demo: async (node) => {
    await build(checkout, node);
    return runUntilEnd(node, [join(checkout, 'infra/local/demo.ts')], { tied: true });
  },
  soak: (node, names) => runSoak(checkout, node, names),
  test: (node, kinds) => runTests(checkout, node, kinds),
  restore: (node, args) => runUntilEnd(node, [join(checkout, 'infra/restore/main.ts'), ...args]),
  'verify-audit': (node, args) => runUntilEnd(node, [join(checkout, 'cli/verify-audit.ts'), ...args]),
  package: async (node, [target]) => {
    // Bundling is a package of its own, which is there once the packages are.
    const { makePackage } = await import('./run/package.mjs');
    const { folder, files, bytes } = await makePackage(checkout, node, target);
    console.log(`${folder}: ${files} files, ${(bytes / 1e6).toFixed(1)} MB`);
    return 0;
  },
  bench: async (node) => {
    await build(checkout, node);
    // A million identities in memory take more than a heap's usual end; the collector is asked for before memory is read.
    const options = ['--max-old-space-size=8192', '--expose-gc'];
    return runUntilEnd(node, [...options, join(checkout, 'test/bench/main.ts')]);
  },
};

async function main([name = '', ...rest]) {
  if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
    throw new Refusal(
      `This is Node ${process.versions.node}, and Everleaf needs Node ${OLDEST_NODE} or newer with npm. ` +
        'Install the current LTS from https://nodejs.org and run the command again.',
    );
  }
  if (!Object.hasOwn(commands, name)) {
    throw new Refusal(`Say what to run: ${Object.keys(commands).join(', ')}. For example: npm start`);
  }
  return commands[name](await ensureInstalled(checkout), rest);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  console.error(`\n${error.message}`);
  process.exitCode = error.exitCode;
}
