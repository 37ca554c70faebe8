import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readSettings } from '../../shared/config/settings.ts';
import { bicepFile, blockAt, declared, INFRA, properties } from './bicep.ts';

const root = join(INFRA, '..');
const functionApp = bicepFile('modules/function-app.bicep');
const policy = bicepFile('modules/policy.bicep');

const policyDefaults = properties(declared(policy, 'var', 'policyDefaults'));
const body = declared(functionApp, 'resource', 'settings');
const fixed = properties(blockAt(body, body.indexOf(', {')));
const placed = [...policyDefaults.keys(), ...fixed.keys()];

/** The names in the schema of the settings. */
const known = (() => {
  const text = readFileSync(join(root, 'shared/config/settings.ts'), 'utf8');
  const from = text.indexOf('return z.object({');
  const schema = text.slice(from, text.indexOf('\n  });', from));
  return [...schema.matchAll(/^ {4}([A-Z]\w+):/gm)].map(([, name = '']) => name);
})();

/** What the host, its triggers and its telemetry read. Nothing else may stand in the template without the app knowing it. */
const OF_THE_HOST = [
  'AzureWebJobsStorage__credential',
  'AzureWebJobsStorage__clientId',
  // Not __blobServiceUri: https://github.com/Azure/azure-functions-host/issues/11787
  'AzureWebJobsStorage__accountName',
  'APPLICATIONINSIGHTS_CONNECTION_STRING',
  'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
  'APPLICATION_INSIGHTS_NO_STATSBEAT',
  'FUNCTIONS_REQUEST_BODY_SIZE_LIMIT',
  'RECORD_STORAGE__credential',
  'RECORD_STORAGE__clientId',
];

/** Settings of other plans: on Flex Consumption they are refused, without effect, or keep a package from being published. */
const FORBIDDEN =
  /^(?:FUNCTIONS_WORKER_RUNTIME|FUNCTIONS_EXTENSION_VERSION|WEBSITE_RUN_FROM_PACKAGE|WEBSITE_NODE_DEFAULT_VERSION|SCM_DO_BUILD_DURING_DEPLOYMENT|ENABLE_ORYX_BUILD|WEBSITE_CONTENT.*|FUNCTIONS_WORKER_PROCESS_COUNT|WEBSITE_TIME_ZONE|TZ)$/;

/** What must be set and has no default. */
const SITE = {
  AUTHORITY_VAULT_URL: 'https://a.vault.azure.net/',
  CLIENT_VAULT_URL: 'https://c.vault.azure.net/',
  RECORD_STORAGE__blobServiceUri: 'https://r.blob.core.windows.net/',
  RECORD_STORAGE__queueServiceUri: 'https://r.queue.core.windows.net/',
  RECORD_STORAGE__tableServiceUri: 'https://r.table.core.windows.net/',
  AZURE_CLIENT_ID: '4fbbd1fd-4c5e-4a5a-8ee1-6d3b4f4b7d2e',
  OPERATOR_ISSUER: 'https://login.microsoftonline.com/6b5f5d2e-0000-4000-8000-000000000001/v2.0',
  OPERATOR_AUDIENCE: '6b5f5d2e-0000-4000-8000-000000000002',
  OPERATOR_TENANT_ID: '6b5f5d2e-0000-4000-8000-000000000001',
  PUBLIC_BASE_URL: 'https://everleaf-x.azurewebsites.net',
  TRUST_DOMAIN: 'everleaf.example',
  CLOUD_FQDN: 'cloud.example',
  WEBSITE_SITE_NAME: 'everleaf-x',
};

const literal = (text: string) => text.replace(/^'(.*)'$/, '$1');

describe('the settings of the app in Azure', () => {
  it('have a place for everything that the program knows, but for the connection string of one machine', () => {
    assert.ok(known.length > 40, `only ${known.length} settings were found in shared/config/settings.ts`);
    assert.deepEqual(
      known.filter((name) => name !== 'RECORD_STORAGE' && !placed.includes(name)),
      [],
    );
  });

  it('have nothing that neither the program nor the host knows, and nothing twice', () => {
    assert.deepEqual(
      placed.filter((name) => !known.includes(name) && !OF_THE_HOST.includes(name)),
      [],
    );
    assert.deepEqual(
      OF_THE_HOST.filter((name) => !placed.includes(name)),
      [],
    );
    assert.equal(new Set(placed).size, placed.length);
  });

  it('have neither a connection string of storage nor a setting of another plan', () => {
    for (const name of placed) {
      assert.doesNotMatch(name, FORBIDDEN);
      assert.doesNotMatch(name, /^(?:RECORD_STORAGE|AzureWebJobsStorage)$/);
    }
  });

  it('have every name that a trigger of a function asks for', () => {
    for (const file of readdirSync(join(root, 'functions'))) {
      const text = readFileSync(join(root, 'functions', file), 'utf8');
      for (const [, name = ''] of text.matchAll(/'%(\w+)%'/g))
        assert.ok(placed.includes(name), `${file}: ${name}`);
      for (const [, name = ''] of text.matchAll(/connection: '(\w+)'/g)) {
        assert.ok(placed.includes(`${name}__queueServiceUri`), `${file}: ${name}`);
      }
    }
  });

  it('have the same policy in the type that is offered and in the defaults', () => {
    const offered = [...properties(declared(policy, 'type', 'policySettings')).keys()];
    assert.deepEqual(offered, [...policyDefaults.keys()]);
    assert.match(
      body,
      /^\{\s*parent: app\s+name: 'appsettings'\s+properties: union\(mapValues\(union\(policyDefaults, policy\)/,
    );
  });

  it('have the defaults of the program', () => {
    const asInTemplate = Object.fromEntries(
      [...policyDefaults].map(([name, value]) => [name, literal(value)]),
    );
    for (const name of ['CLOUD_PORT', 'CLOUD_AUTH_PORT', 'CLOUD_LOCATION']) {
      const [, value] = /\?\? ([^)]+)\)?$/.exec(fixed.get(name) ?? '') ?? [];
      assert.ok(value !== undefined, name);
      asInTemplate[name] = literal(value);
    }
    assert.deepEqual(readSettings({ ...SITE, ...asInTemplate }), readSettings(SITE));
  });

  it('allow no number that the program refuses, and refuse none that it allows', () => {
    const type = declared(policy, 'type', 'policySettings');
    const ranges = [...type.matchAll(/@minValue\((\d+)\)\s+@maxValue\((\d+)\)\s+(\w+): int\?/g)];
    const numbers = [...policyDefaults].filter(([, value]) => /^\d+$/.test(value)).map(([name]) => name);
    assert.deepEqual(
      ranges.map(([, , , name]) => name),
      numbers,
    );
    const isAllowed = (name: string, value: number) => {
      // An authority has to outlive what it signs; a leaf of one day fits every authority.
      const around = name === 'CERTIFICATE_VALIDITY_DAYS' ? {} : { CERTIFICATE_VALIDITY_DAYS: '1' };
      try {
        readSettings({ ...SITE, ...around, [name]: String(value) });
        return true;
      } catch {
        return false;
      }
    };
    for (const [, least, most, name = ''] of ranges) {
      // One day is too short for an authority together with other rules, not by itself.
      const first = name === 'AUTHORITY_VALIDITY_DAYS' ? 2 : Number(least);
      assert.ok(isAllowed(name, first), `${name} ${first}`);
      assert.ok(isAllowed(name, Number(most)), `${name} ${most}`);
      assert.ok(!isAllowed(name, Number(least) - 1), `${name} ${Number(least) - 1}`);
      assert.ok(!isAllowed(name, Number(most) + 1), `${name} ${Number(most) + 1}`);
    }
  });
});
