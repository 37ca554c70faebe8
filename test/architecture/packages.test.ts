/** Which part of the product may know which library. What has no row here is not to be imported at all. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Import, offence, ROOT, type Source, sourcesIn } from './sources.ts';

const COMPILER = join(ROOT, 'node_modules/typescript/lib/tsc.js');

interface Allowance {
  readonly in: RegExp;
  /** Where its types alone may be taken from. */
  readonly types?: RegExp;
}

const PACKAGES: Readonly<Record<string, Allowance>> = {
  '@azure/functions': { in: /^functions\/|^shared\/http\// },
  '@azure/identity': { in: /^shared\/app\.ts$/, types: /^shared\/adapters\// },
  '@azure/keyvault-certificates': { in: /^shared\/adapters\/key-vault\// },
  '@azure/keyvault-keys': { in: /^shared\/adapters\/key-vault\// },
  '@azure/keyvault-secrets': { in: /^shared\/adapters\/key-vault\// },
  '@azure/monitor-opentelemetry-exporter': { in: /^shared\/adapters\/telemetry\// },
  '@opentelemetry/sdk-metrics': { in: /^shared\/adapters\/telemetry\// },
  '@azure/data-tables': { in: /^shared\/adapters\/storage\// },
  '@azure/storage-blob': { in: /^shared\/adapters\/storage\// },
  '@azure/storage-queue': { in: /^shared\/adapters\/storage\// },
  'age-encryption': { in: /^shared\/adapters\/backup\// },
  'node-forge': { in: /^shared\/pki\// },
  croner: { in: /^shared\/adapters\/system\// },
  jose: { in: /^shared\/http\// },
  zod: { in: /^functions\/|^shared\/(?:http|config|adapters)\// },
  'node:async_hooks': { in: /^shared\/adapters\/system\// },
  'node:crypto': { in: /^shared\/(?:pki|adapters\/system|adapters\/memory)\// },
  'node:timers/promises': { in: /^shared\/adapters\/system\// },
};

const sources = [...sourcesIn('functions'), ...sourcesIn('shared')];
const packages = sources.flatMap((source) =>
  source.imports.filter(({ isFile }) => !isFile).map((found) => ({ source, found })),
);

function isAllowed({ path }: Source, { target, isTypeOnly }: Import): boolean {
  const allowance = PACKAGES[target];
  if (allowance === undefined) return false;
  return allowance.in.test(path) || (isTypeOnly && allowance.types?.test(path) === true);
}

describe('the libraries of the product', () => {
  it('are known to their own adapter alone', () => {
    const strays = packages.filter(({ source, found }) => !isAllowed(source, found));
    assert.deepEqual(
      strays.map(({ source, found }) => offence(source, found)),
      [],
    );
  });

  it('are all deployed with it', () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const names = new Set(
      packages.map(({ found }) => found.target).filter((name) => !name.startsWith('node:')),
    );
    assert.deepEqual(
      [...names].filter((name) => !Object.hasOwn(dependencies, name)),
      [],
    );
  });
});

describe('the domain', () => {
  const domain = sources.filter(({ path }) => path.startsWith('shared/domain/'));

  it('knows no library and no module of Node', () => {
    const strays = packages.filter(({ source }) => domain.includes(source));
    assert.deepEqual(
      strays.map(({ source, found }) => offence(source, found)),
      [],
    );
  });

  it('compiles where there is neither Node nor a browser', () => {
    // No Buffer, no process, no crypto, no fetch, no timers: the language alone.
    const options = '--ignoreConfig --noEmit --strict --lib ES2023 --target ES2023 --module nodenext';
    const files = domain.map(({ path }) => path);
    const run = spawnSync(
      process.execPath,
      [COMPILER, ...options.split(' '), '--rewriteRelativeImportExtensions', '--types', '', ...files],
      { cwd: ROOT, encoding: 'utf8' },
    );
    assert.equal(run.stdout + run.stderr, '');
    assert.equal(run.status, 0);
  });
});
