import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { bicepFile, bicepFiles, INFRA, resources } from './bicep.ts';

const root = join(INFRA, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly jobs: Readonly<Record<string, { readonly steps: readonly { readonly run?: string }[] }>>;
}

describe('the files of the deployment', () => {
  it('have no module that nobody calls', () => {
    const files = bicepFiles();
    const called = files.flatMap(({ path, text }) =>
      [...text.matchAll(/(?:^module \w+ |^import .* from |^using )'([^']+)'/gm)].map(([, to = '']) =>
        join(path, '..', to).replaceAll('\\', '/'),
      ),
    );
    const templates = files.map(({ path }) => path).filter((path) => path.startsWith('modules/'));
    assert.deepEqual(
      templates.filter((path) => !called.includes(path)),
      [],
    );
    assert.deepEqual(
      called.filter((path) => !existsSync(join(INFRA, path))),
      [],
    );
  });

  it('are two sets of parameters, of which that for production protects', () => {
    const sets = bicepFiles().filter(({ path }) => path.endsWith('.bicepparam'));
    assert.deepEqual(
      sets.map(({ path }) => path),
      ['dev.bicepparam', 'prod.bicepparam'],
    );
    for (const { path, text } of sets) assert.match(text, /^using 'main\.bicep'$/m, path);
    const { text } = bicepFile('prod.bicepparam');
    for (const line of ['param privateNetwork = true', 'param isProtected = true'])
      assert.ok(text.includes(line), line);
    // What is an installation's own has to be given: there is no value that would be right for everybody.
    assert.deepEqual(
      [...text.matchAll(/readEnvironmentVariable\('(\w+)'\)/g)].map(([, name]) => name),
      [
        'EVERLEAF_OPERATOR_AUDIENCE',
        'EVERLEAF_TRUST_DOMAIN',
        'EVERLEAF_CLOUD_FQDN',
        'EVERLEAF_BACKUP_RECIPIENTS',
      ],
    );
  });

  it('are linted by rules of which none is off', () => {
    const { analyzers } = JSON.parse(read('infra/bicepconfig.json'));
    assert.equal(analyzers.core.enabled, true);
    const levels = Object.entries<{ level: string }>(analyzers.core.rules);
    assert.deepEqual(
      levels.filter(([, { level }]) => !['error', 'warning'].includes(level)),
      [],
    );
    for (const rule of [
      'outputs-should-not-contain-secrets',
      'secure-parameter-default',
      'no-hardcoded-env-urls',
    ]) {
      assert.equal(analyzers.core.rules[rule]?.level, 'error', rule);
    }
    for (const { path } of bicepFiles()) {
      assert.doesNotMatch(readFileSync(join(INFRA, path), 'utf8'), /#disable/, path);
    }
  });

  it('need no provider of resources that an operator is not told to register', () => {
    const made = resources().map(({ type }) => type.split('/')[0] ?? '');
    // A subnet is delegated to Microsoft.App, so a deployment does not register it; Authorization is always there.
    const needed = new Set(['microsoft.app', ...made].filter((name) => name !== 'microsoft.authorization'));
    const [, loop = ''] =
      /for provider in ([\s\S]*?); do\n +az provider register /.exec(read('docs/operations.md')) ?? [];
    const named = [...loop.matchAll(/\b[A-Z]\w+/g)].map(([name]) => `microsoft.${name.toLowerCase()}`);
    assert.deepEqual(named.sort(), [...needed].sort());
  });

  it('are found by the Azure Developer CLI', () => {
    const { infra, services } = parse(read('azure.yaml'));
    assert.ok(existsSync(join(root, infra.path, `${infra.module}.bicepparam`)));
    const [[name, service] = [], ...others] = Object.entries<Record<string, unknown>>(services);
    assert.deepEqual(others, []);
    assert.equal(service?.['host'], 'function');
    assert.match(bicepFile('main.bicep').text, new RegExp(`serviceName: '${name}'`));
    assert.match(bicepFile('modules/function-app.bicep').text, /'azd-service-name': serviceName/);
  });

  it('are built and linted by the compiler itself in the workflow', () => {
    const workflow = parse(read('.github/workflows/bicep.yml')) as Workflow;
    const commands = Object.values(workflow.jobs).flatMap(({ steps }) => steps.map(({ run }) => run ?? ''));
    for (const command of [
      'az bicep build --file infra/main.bicep --stdout',
      'az bicep lint --file infra/main.bicep',
      'az bicep build-params --file infra/dev.bicepparam --stdout',
      'az bicep build-params --file infra/prod.bicepparam --stdout',
    ]) {
      assert.ok(
        commands.some((run) => run.includes(command)),
        command,
      );
    }
    for (const [, name = ''] of bicepFile('prod.bicepparam').text.matchAll(
      /readEnvironmentVariable\('(\w+)'\)/g,
    )) {
      assert.match(read('.github/workflows/bicep.yml'), new RegExp(`${name}: `), name);
    }
  });

  const checker = process.env['EVERLEAF_BICEP_CHECK'] ?? '';
  const skip =
    checker === '' ? 'EVERLEAF_BICEP_CHECK names no program that checks Bicep without the CLI' : false;
  it('pass a check of types and properties, where there is a program for it', { skip }, () => {
    const { status, stdout, stderr } = spawnSync(checker, ['--strict', INFRA], { encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
  });
});
