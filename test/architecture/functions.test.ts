import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT, type Source, sourcesIn } from './sources.ts';

const triggers = sourcesIn('functions');

/** The calls of `app.<trigger>('<name>', ...)` in a file. */
function registrations({ code }: Source): { trigger: string; name: string }[] {
  return [...code.matchAll(/\bapp\.(\w+)\(\s*'([^']+)'/g)].map(([, trigger = '', name = '']) => ({
    trigger,
    name,
  }));
}

describe('the triggers', () => {
  it('stand one in a file, under the file’s name', () => {
    assert.ok(triggers.length > 0);
    for (const source of triggers) {
      const names = registrations(source).map(({ name }) => name);
      assert.deepEqual(names, [basename(source.path, '.ts')], source.path);
      assert.equal(
        source.code.match(/\bapp\.\w+\(/g)?.length,
        1,
        `${source.path} registers in a way not seen here`,
      );
    }
  });

  it('state their authLevel where they speak HTTP: Everleaf’s own authentication is the gate', () => {
    const http = triggers.filter((source) => registrations(source).some(({ trigger }) => trigger === 'http'));
    assert.ok(http.length > 0);
    for (const { path, code } of http) assert.match(code, /\bauthLevel: 'anonymous'/, path);
  });

  it('are registered by no other file of the product', () => {
    const others = sourcesIn('shared').filter(({ code }) => /from '@azure\/functions'/.test(code));
    for (const { path, code } of others) assert.doesNotMatch(code, /import \{[^}]*\bapp\b/, path);
  });

  it('are all loaded by the worker: package.json’s main matches every one of them', () => {
    const { main } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    assert.equal(main, 'dist/functions/*.js');
    // The pattern reaches no subfolder, and the build makes a .js of a .ts alone.
    for (const entry of readdirSync(join(ROOT, 'functions'), { withFileTypes: true })) {
      assert.ok(entry.isFile() && /^[a-z-]+\.ts$/.test(entry.name), `functions/${entry.name}`);
    }
  });

  it('stand in the README’s table of functions, each in a row that begins with its name', () => {
    const path = join(ROOT, 'README.md');
    const readme = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const missing = triggers
      .flatMap(registrations)
      .filter(({ name }) => !readme.split('\n').some((line) => line.startsWith(`| \`${name}\` |`)));
    assert.deepEqual(
      missing.map(({ name }) => `| \`${name}\` | ...`),
      [],
    );
  });
});
