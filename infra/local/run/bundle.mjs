/** The compiled functions and their libraries as one ES module, with what is loaded on demand in chunks beside it. */
import { readdirSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { build } from 'esbuild';

/**
 * Libraries in CommonJS `require` Node's own modules, and `@azure/functions` requires `@azure/functions-core`, which the worker has
 * for `require` alone: an ES module has to make itself a `require` for both.
 */
const REQUIRE =
  "import { createRequire as everleafCreateRequire } from 'node:module'; const require = everleafCreateRequire(import.meta.url);";

/**
 * Not minified: it would load no quicker that one could measure, and so a stack trace shows names and lines of a file that can be
 * read; the source maps lead from there to the sources.
 * @param entryPoint the path of the module below the package, `dist/<name>.js`
 * @returns outputs: paths below the package to contents, sorted; inputs: the files that went in, by their paths from the checkout
 */
export async function bundle(checkout, entryPoint) {
  const functions = readdirSync(join(checkout, 'dist/functions'))
    .filter((name) => name.endsWith('.js'))
    .sort();
  // Paths in source maps are relative to this, wherever the package is put.
  const root = join(checkout, 'package');
  const result = await build({
    stdin: {
      contents: functions.map((name) => `import './functions/${name}';`).join('\n'),
      resolveDir: join(checkout, 'dist'),
      sourcefile: 'functions.js',
    },
    absWorkingDir: checkout,
    outdir: join(root, dirname(entryPoint)),
    entryNames: basename(entryPoint, '.js'),
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    external: ['@azure/functions-core'],
    banner: { js: REQUIRE },
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
    write: false,
  });
  const outputs = result.outputFiles.map(({ path, contents }) => [relative(root, path), contents]);
  outputs.sort(([a], [b]) => (a < b ? -1 : 1));
  return { outputs, inputs: Object.keys(result.metafile.inputs).sort() };
}
