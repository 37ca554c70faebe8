/** The command speaks to the server over HTTP and in no other way, so that it could have been written by anybody. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { offence, ROOT, sourcesIn } from './sources.ts';

describe('the everleaf command', () => {
  const sources = sourcesIn('cli');
  const imports = sources.flatMap((source) => source.imports.map((found) => ({ source, found })));

  it('loads nothing but itself and Node, and takes nothing but types from the server', () => {
    assert.ok(sources.length > 0);
    const strays = imports.filter(({ source, found: { target, isFile, isTypeOnly } }) => {
      // The verifier reads checkpoints where they lie: in blobs.
      const isBlobClient = target === '@azure/storage-blob' && source.path.startsWith('cli/audit/');
      if (!isFile) return !target.startsWith('node:') && !isBlobClient;
      return !target.startsWith('cli/') && !(isTypeOnly && target.startsWith('shared/'));
    });
    assert.deepEqual(
      strays.map(({ source, found }) => offence(source, found)),
      [],
    );
  });

  it('decides without a clock, chance or the disk: those come in through its ports', () => {
    const ambient = /\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\bsetTimeout\b|\bprocess\.env\b/;
    const pure = sources.filter(({ path }) => path.startsWith('cli/agent/'));
    assert.deepEqual(
      pure.filter(({ code }) => ambient.test(code)).map(({ path }) => path),
      [],
    );
    const offenders = imports.filter(
      ({ source, found }) =>
        source.path.startsWith('cli/agent/') &&
        /^node:fs/.test(found.target) &&
        !/\/(?:files|lock)\.ts$/.test(source.path),
    );
    assert.deepEqual(
      offenders.map(({ source, found }) => offence(source, found)),
      [],
    );
  });

  it('is imported by neither the product nor its stand-ins, and never published with the app', () => {
    const others = ['functions', 'shared', 'infra/local'].flatMap(sourcesIn);
    const strays = others.flatMap((source) =>
      source.imports.filter(({ target }) => target.startsWith('cli/')).map((found) => offence(source, found)),
    );
    assert.deepEqual(strays, []);
    const ignored = readFileSync(join(ROOT, '.funcignore'), 'utf8').split('\n');
    assert.ok(ignored.includes('/cli'));
    const { include } = JSON.parse(readFileSync(join(ROOT, 'tsconfig.build.json'), 'utf8'));
    assert.deepEqual(include, ['functions', 'shared']);
  });

  it('is what `npx everleaf` starts', () => {
    const { bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    assert.deepEqual(bin, { everleaf: 'cli/everleaf.mjs' });
    assert.ok(existsSync(join(ROOT, bin.everleaf)));
  });
});
