/** What `npm run package` makes is the whole app and nothing else. That it also serves is for test/e2e/07 to show. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { basename, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadApp } from '../../infra/local/host/core/app-loader.ts';
import { enterApp } from '../../infra/local/host/core/core-module.ts';
import { FunctionApp } from '../../infra/local/host/core/function-app.ts';
import { Packaged } from '../support/packaged.ts';

const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url));
const SOURCES = readdirSync(join(CHECKOUT, 'functions')).map((file) => basename(file, '.ts'));

const packaged = new Packaged();
const again = new Packaged();
after(() => {
  packaged.remove();
  again.remove();
});
const files = packaged.files();
const text = (path: string) => files.get(path)?.toString('utf8') ?? '';
const code = [...files.keys()].filter((path) => path.endsWith('.js'));
const manifest = JSON.parse(text('package.json')) as Record<string, unknown>;

/** Of the sources of a source map; webpack's are those of a library that was bundled before it came to us. */
const LIBRARY = /(?:^|\/)node_modules\/|^webpack:\/\//;

/** The modules that a file asks for when it is loaded, its own chunks left out. */
function imported(js: string): string[] {
  const statements = js.matchAll(
    /^(?:import|export)\b[^'"\n]*?(?:\bfrom )?"([^"\n]+)";$|^\} from "([^"\n]+)";$/gm,
  );
  const calls = js.matchAll(/\b(?:__)?(?:require|import)\("([^"\n]+)"\)/g);
  return [...statements, ...calls]
    .map(([, one, other]) => one ?? other ?? '')
    .filter((name) => !name.startsWith('./'));
}

/** The packages that a file is made of: the bundler writes where each piece comes from. */
function origins(js: string): string[] {
  const paths = js.matchAll(/^\s*\/\/ (?:.*\/)?node_modules\/((?:@[^/\n]+\/)?[^/\n]+)\/.+$/gm);
  return [...new Set([...paths].map(([, name = '']) => name))];
}

describe('npm run package', () => {
  it('makes a few files, every one of which is known by its name', () => {
    const known =
      /^(?:dist\/[\w.-]+\.js(?:\.map)?|package\.json|host\.json|LICENSE|THIRD-PARTY-NOTICES\.txt|\.funcignore)$/;
    assert.deepEqual(
      [...files.keys()].filter((path) => !known.test(path)),
      [],
    );
    assert.deepEqual(
      code.filter((path) => !files.has(`${path}.map`)),
      [],
    );
  });

  it('makes the same bytes again, and files of the same times, which a zip would hold', () => {
    assert.deepEqual([...again.files()], [...files]);
    const times = new Set([...files.keys()].map((path) => statSync(join(packaged.folder, path)).mtimeMs));
    assert.equal(times.size, 1);
  });

  it('brings every function along, and loads with nothing around it', async () => {
    const app = new FunctionApp(() => undefined);
    const leave = enterApp(app);
    try {
      await loadApp(app, packaged.folder);
      assert.deepEqual(
        [...app.functions.values()].map(({ metadata }) => metadata.name).sort(),
        SOURCES.sort(),
      );
    } finally {
      leave();
    }
  });

  it('names the libraries that its code imports as dependencies: none, they are in it', () => {
    const { main, type, dependencies } = manifest;
    assert.deepEqual(
      { main, type, dependencies },
      { main: 'dist/everleaf.js', type: 'module', dependencies: {} },
    );
    assert.equal('devDependencies' in manifest || 'scripts' in manifest || 'bin' in manifest, false);
    const asked = new Set(code.flatMap((path) => imported(text(path))));
    assert.ok(asked.has('node:crypto') && asked.has('@azure/functions-core'));
    // The worker itself has this one; and a library looks whether there is one for proxies that ask for Kerberos.
    const given = new Set([...builtinModules, '@azure/functions-core', 'kerberos']);
    assert.deepEqual(
      [...asked].filter((name) => !given.has(name.replace(/^node:/, ''))),
      [],
    );
  });

  it('leaves out what only this machine needs', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8'));
    const inside = new Set(code.flatMap((path) => origins(text(path))));
    assert.deepEqual(
      Object.keys(devDependencies).filter((name) => inside.has(name)),
      [],
    );
    const sources = code.flatMap((path) => sourcesOf(path));
    const strangers = sources.filter((path) => !LIBRARY.test(path) && !/^(?:functions|shared)\//.test(path));
    assert.deepEqual(strangers, []);
  });

  it('has a licence for each library in it', () => {
    const inside = [...new Set(code.flatMap((path) => origins(text(path))))];
    assert.ok(inside.includes('@azure/identity') && inside.includes('zod'));
    const notices = text('THIRD-PARTY-NOTICES.txt').split(`\n${'='.repeat(80)}\n`);
    assert.deepEqual(
      inside.filter((name) => !notices.some((notice) => notice.startsWith(`${name} `))),
      [],
    );
    const silent = notices.slice(1).filter((notice) => !/^\S+ \d[\w.-]*, \S/.test(notice));
    assert.deepEqual(silent, []);
  });

  it('has source maps that lead back to the sources and do not contain them', () => {
    const own = code.flatMap((path) => sourcesOf(path)).filter((path) => !LIBRARY.test(path));
    assert.ok(own.includes('functions/login.ts') && own.includes('shared/app.ts'));
    assert.deepEqual(
      own.filter((path) => !existsSync(join(CHECKOUT, path))),
      [],
    );
    for (const path of code) assert.doesNotMatch(text(`${path}.map`), /"sourcesContent"/, path);
  });
});

/** The sources of a file, as paths from the checkout on. */
function sourcesOf(path: string): string[] {
  const { sources } = JSON.parse(text(`${path}.map`)) as { sources: string[] };
  return sources.map((source) => source.replace(/^(?:\.\.\/)+/, ''));
}
