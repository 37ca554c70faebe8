import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { Packaged } from '../support/packaged.ts';
import { median, type Report } from './measure.ts';

const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url));
const LOADER = fileURLToPath(new URL('load-app.mjs', import.meta.url));
const ROUNDS = 7;

interface Loaded {
  readonly ms: number;
  readonly cpuMs: number;
  readonly functions: number;
  readonly rss: number;
  readonly grown: number;
  readonly heapUsed: number;
}

/** The package: how large it is, and what loading it takes, against dist/ with its libraries in node_modules. */
export function benchPackage(report: Report): void {
  const packaged = new Packaged();
  try {
    size(report, packaged);
    const { folder } = packaged;
    // In turns, so that what else the machine does falls on both. The first round warms the file cache.
    const rounds = Array.from({ length: ROUNDS + 1 }, () => ({
      bundle: load(folder),
      loose: load(CHECKOUT),
    }));
    const [first, ...others] = rounds;
    if (first?.bundle.functions !== first?.loose.functions) throw new Error('The package lacks functions.');
    const bundle = (figure: keyof Loaded) => median(others.map((round) => round.bundle[figure]));
    const loose = (figure: keyof Loaded) => median(others.map((round) => round.loose[figure]));
    const row = (what: string, unit: string, figure: number, unbundled: number, note = '') =>
      report.add({
        ...{ part: 'package', what, unit, figure, ratio: figure / unbundled },
        note: `${note}unbundled ${Math.round(unbundled)} ${unit}; median of ${ROUNDS}, in turns`,
      });
    const functions = `${first?.bundle.functions} functions; `;
    row('load time of the entry points', 'ms', bundle('ms'), loose('ms'), functions);
    row('load time of the entry points, CPU', 'ms', bundle('cpuMs'), loose('cpuMs'), functions);
    row(
      'memory after load',
      'MB',
      bundle('rss') / 1e6,
      loose('rss') / 1e6,
      'resident, Node itself included; ',
    );
    row('memory that the load adds', 'MB', bundle('grown') / 1e6, loose('grown') / 1e6, 'resident; ');
    row('heap after load', 'MB', bundle('heapUsed') / 1e6, loose('heapUsed') / 1e6);
  } finally {
    packaged.remove();
  }
}

function size(report: Report, packaged: Packaged): void {
  const files = packaged.files();
  const bytesOf = (isCounted: (path: string) => boolean) =>
    [...files].reduce((sum, [path, content]) => sum + (isCounted(path) ? content.length : 0), 0);
  const zipped = [...files.values()].reduce((sum, content) => sum + gzipSync(content).length, 0);
  const maps = bytesOf((path) => path.endsWith('.map'));
  report.add({
    ...{ part: 'package', what: 'size', figure: bytesOf(() => true) / 1e6, unit: 'MB', ratio: null },
    note: `of it source maps ${(maps / 1e6).toFixed(1)} MB; compressed, as it is uploaded, ${(zipped / 1e6).toFixed(1)} MB`,
  });
  const note = [...files.keys()].filter((path) => !path.endsWith('.map')).join(', ');
  report.add({ part: 'package', what: 'files', figure: files.size, unit: '', ratio: null, note });
}

function load(folder: string): Loaded {
  const run = spawnSync(process.execPath, ['--expose-gc', LOADER, folder], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`Loading ${folder} ended with ${run.status}: ${run.stderr}`);
  return JSON.parse(run.stdout) as Loaded;
}
