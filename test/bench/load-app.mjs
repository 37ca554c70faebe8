/**
 * Loads the entry points of a function app into a process that has nothing else in it, as a worker does at a cold start, and says
 * what that took. Plain JavaScript, so that the compiler that Node brings for TypeScript is not in the figures.
 *
 *   node --expose-gc test/bench/load-app.mjs <folder with package.json>
 */
import { readdirSync, readFileSync } from 'node:fs';
import Module from 'node:module';
import { basename, dirname, join } from 'node:path';
import { cpuUsage, memoryUsage } from 'node:process';
import { pathToFileURL } from 'node:url';

let functions = 0;
/** As much of the worker's own module as `@azure/functions` asks for while functions are registered. */
const core = {
  version: '3.10.1',
  hostVersion: '4.1036.2',
  Disposable: class {
    dispose() {}
  },
  registerFunction: () => {
    functions++;
    return new core.Disposable();
  },
  registerHook: () => new core.Disposable(),
  setProgrammingModel: () => undefined,
  getProgrammingModel: () => undefined,
  log: () => undefined,
};
const load = Module._load;
Module._load = (request, ...rest) => (request === '@azure/functions-core' ? core : load(request, ...rest));

const [folder] = process.argv.slice(2);
const { main } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const directory = join(folder, dirname(main));
const pattern = new RegExp(`^${basename(main).replace('.', '\\.').replace('*', '.*')}$`);
const files = readdirSync(directory)
  .filter((name) => pattern.test(name))
  .sort();

globalThis.gc();
const before = memoryUsage().rss;
const cpuBefore = cpuUsage();
const begun = performance.now();
for (const name of files) await import(pathToFileURL(join(directory, name)).href);
const ms = performance.now() - begun;
const { user, system } = cpuUsage(cpuBefore);
globalThis.gc();
const { rss, heapUsed } = memoryUsage();
console.log(
  JSON.stringify({ ms, cpuMs: (user + system) / 1000, functions, rss, grown: rss - before, heapUsed }),
);
