import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { RoleDefinitions } from '../../infra/local/vault/config.ts';
import { bicepFile, bicepFiles, INFRA, made, resources } from './bicep.ts';

const definitions = JSON.parse(readFileSync(join(INFRA, 'role-definitions.json'), 'utf8')) as RoleDefinitions;

/** All that the app, and whoever restores, may do in the vaults. Whoever makes this longer says why in SECURITY.md. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  authorityVault: [
    'certificates/read',
    'certificates/create/action',
    'certificates/update/action',
    'certificates/recover/action',
    'certificates/backup/action',
    'keys/read',
    'keys/sign/action',
  ],
  rotationKey: [
    'secrets/getSecret/action',
    'secrets/setSecret/action',
    'secrets/recover/action',
    'secrets/backup/action',
  ],
  clientVault: [
    'certificates/read',
    'certificates/create/action',
    'certificates/update/action',
    'certificates/recover/action',
    'secrets/setSecret/action',
    'secrets/recover/action',
  ],
  restore: [
    'certificates/read',
    'certificates/restore/action',
    'certificates/recover/action',
    'secrets/readMetadata/action',
    'secrets/restore/action',
    'secrets/recover/action',
  ],
};

/** https://learn.microsoft.com/azure/role-based-access-control/built-in-roles */
const BUILT_IN: Readonly<Record<string, string>> = {
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb',
  storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe',
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
  storageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88',
  storageQueueDataMessageSender: 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a',
  storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3',
};

const assignments = made('Microsoft.Authorization/roleAssignments');

describe('the roles', () => {
  it('have the actions of the list and no other', () => {
    assert.deepEqual(Object.keys(definitions.roles).sort(), Object.keys(ALLOWED).sort());
    for (const [key, { dataActions }] of Object.entries(definitions.roles)) {
      assert.deepEqual(
        dataActions,
        ALLOWED[key]?.map((action) => `Microsoft.KeyVault/vaults/${action}`),
        key,
      );
    }
  });

  it('give the app no way to a private key or a secret of a client, and none to remove or purge anything', () => {
    const ofTheApp = definitions.assignments.flatMap(({ role, vault, scope }) =>
      (definitions.roles[role]?.dataActions ?? []).map((action) => `${vault} ${scope} ${action}`),
    );
    for (const right of ofTheApp) {
      assert.doesNotMatch(right, /delete|purge|restore|import|\*/i);
      if (right.includes('getSecret')) assert.match(right, /^authority \/secrets\/rotation-key /);
    }
    assert.ok(!definitions.assignments.some(({ role }) => role === 'restore'));
  });

  it('are made in Azure from the same file, data actions alone, for named resource groups alone', () => {
    const [definition, ...others] = made('Microsoft.Authorization/roleDefinitions');
    assert.deepEqual(others, []);
    assert.match(
      bicepFile('modules/roles-vault.bicep').text,
      /loadJsonContent\('\.\.\/role-definitions\.json'\)/,
    );
    assert.match(
      definition?.body ?? '',
      /permissions: \[\{ actions: \[\], notActions: \[\], dataActions: role\.value\.dataActions, notDataActions: \[\] \}\]/,
    );
    assert.match(definition?.body ?? '', /assignableScopes: union\(\[resourceGroup\(\)\.id\], otherScopes\)/);
  });

  it('are assigned where the file says: every line of it fits one of the three loops', () => {
    for (const { vault, scope } of definitions.assignments) {
      const isSecret = vault === 'authority' && /^\/secrets\/[\w-]+$/.test(scope);
      assert.ok(isSecret || (scope === '/' && ['authority', 'clients'].includes(vault)), `${vault} ${scope}`);
    }
    const { text } = bicepFile('modules/roles-vault.bicep');
    for (const filter of [
      "one.vault == 'authority' && one.scope == '/'",
      "one.vault == 'clients' && one.scope == '/'",
      "one.vault == 'authority' && startsWith(one.scope, '/secrets/')",
    ]) {
      assert.ok(text.includes(filter), filter);
    }
  });

  it('of Azure’s own are these six, by their ids', () => {
    const guid = /'([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})'/g;
    const named = bicepFiles().flatMap(({ text }) =>
      [...text.matchAll(/(\w+)(?:: | = )'([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})'/g)].map(
        ([, name, id]) => [name, id],
      ),
    );
    assert.deepEqual(Object.fromEntries(named), BUILT_IN);
    const all = bicepFiles().flatMap(({ text }) => [...text.matchAll(guid)]);
    assert.equal(all.length, named.length, 'an id without a name');
  });
});

describe('the assignments of roles', () => {
  it('are named by guid(), are of service principals, and each is on one resource', () => {
    assert.ok(assignments.length >= 7);
    for (const { file, symbol, body } of assignments) {
      const place = `${file}: ${symbol}`;
      assert.match(body, /^\s*name: guid\(.*\.id, /m, place);
      assert.match(body, /principalType: 'ServicePrincipal'/, place);
      assert.match(body, /^\s*scope: /m, place);
    }
  });

  it('give nobody a role of the control plane or a whole resource group', () => {
    const scopes = assignments.map(({ body }) => /^\s*scope: (.*)$/m.exec(body)?.[1] ?? '');
    for (const scope of scopes) assert.doesNotMatch(scope, /resourceGroup|subscription|tenant/);
    for (const { body } of assignments) {
      assert.match(
        body,
        /roleDefinitionId: subscriptionResourceId\('Microsoft\.Authorization\/roleDefinitions', /,
      );
    }
  });

  it('let the app write to a secret that is not there yet: the template names it and never makes it', () => {
    const secrets = resources().filter(({ type }) => type === 'microsoft.keyvault/vaults/secrets');
    assert.deepEqual(
      secrets.map(({ isExisting }) => isExisting),
      [true],
    );
    assert.doesNotMatch(bicepFile('modules/roles-vault.bicep').text, /secrets\[\w+\]\.(?!id\b)\w/);
  });
});
