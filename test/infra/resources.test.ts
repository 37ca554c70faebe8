import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { BACKUP_CONTAINER } from '../../shared/adapters/storage/blob-backup-store.ts';
import { CHECKPOINT_CONTAINER } from '../../shared/adapters/storage/blob-checkpoint-store.ts';
import { WORK_QUEUE } from '../../shared/adapters/storage/storage-work-queue.ts';
import { bicepFile, bicepFiles, made, resources } from './bicep.ts';

/** Each of these lines stands in every resource of the type. */
function everyOne(type: string, lines: readonly string[]): void {
  const found = made(type);
  assert.ok(found.length > 0, type);
  for (const { file, symbol, body } of found) {
    for (const line of lines) {
      assert.ok(
        body.split('\n').some((one) => one.trim() === line),
        `${file}: ${symbol} lacks "${line}"`,
      );
    }
  }
}

describe('storage accounts', () => {
  it('know no keys, no public blobs, no other tenant and no old TLS', () => {
    everyOne('Microsoft.Storage/storageAccounts', [
      'allowBlobPublicAccess: false',
      'allowCrossTenantReplication: false',
      'allowSharedKeyAccess: false',
      'defaultToOAuthAuthentication: true',
      'isLocalUserEnabled: false',
      "minimumTlsVersion: 'TLS1_2'",
      'supportsHttpsTrafficOnly: true',
    ]);
    for (const { file, symbol, body } of made('Microsoft.Storage/storageAccounts/blobServices/containers')) {
      assert.match(body, /publicAccess: 'None'/, `${file}: ${symbol}`);
    }
  });

  it('are closed when the deployment is private', () => {
    everyOne('Microsoft.Storage/storageAccounts', [
      "publicNetworkAccess: isPrivate && empty(allowedIps) ? 'Disabled' : 'Enabled'",
      "defaultAction: isPrivate ? 'Deny' : 'Allow'",
    ]);
  });

  it('take an operator’s address also in the form that vaults know alone', () => {
    everyOne('Microsoft.Storage/storageAccounts', [
      "ipRules: [for ip in allowedIps: { action: 'Allow', value: replace(ip, '/32', '') }]",
    ]);
  });

  it('get their private endpoints one after the other, as they take them', () => {
    const { text } = bicepFile('modules/network.bicep');
    assert.match(text, /^@batchSize\(1\)\nresource privateEndpoints /m);
  });

  it('keep checkpoints and backups as they were written', () => {
    const { text } = bicepFile('modules/storage-record.bicep');
    for (const container of [CHECKPOINT_CONTAINER, BACKUP_CONTAINER]) {
      assert.match(text, new RegExp(`\\{ name: '${container}', days: \\w+RetentionDays \\}`));
    }
    everyOne('Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies', [
      'immutabilityPeriodSinceCreationInDays: container.days',
      'allowProtectedAppendWrites: false',
      'allowProtectedAppendWritesAll: false',
    ]);
    assert.match(text, /prefixMatch: \['backups\/'\]/);
    assert.match(text, /daysAfterCreationGreaterThan: backupRetentionDays \+ 5/);
  });
});

describe('vaults', () => {
  it('are opened by roles alone, give back what was deleted, and let nobody purge', () => {
    everyOne('Microsoft.KeyVault/vaults', [
      'enableRbacAuthorization: true',
      'enableSoftDelete: true',
      'softDeleteRetentionInDays: 90',
      'enablePurgeProtection: true',
      'enabledForDeployment: false',
      'enabledForDiskEncryption: false',
      'enabledForTemplateDeployment: false',
      "bypass: 'None'",
      "publicNetworkAccess: isPrivate && empty(allowedIps) ? 'Disabled' : 'Enabled'",
      "defaultAction: isPrivate ? 'Deny' : 'Allow'",
    ]);
    assert.ok(!bicepFiles().some(({ text }) => text.includes('accessPolicies')));
  });

  it('are two, and the authority’s is as private as the deployment', () => {
    const { text } = bicepFile('main.bicep');
    const calls = [...text.matchAll(/module (\w+) 'modules\/vault\.bicep'[\s\S]*?isPrivate: (.*)/g)];
    assert.deepEqual(
      calls.map(([, symbol, isPrivate]) => [symbol, isPrivate]),
      [
        ['authorityVault', 'privateNetwork'],
        ['clientVault', 'privateNetwork && !isClientVaultPublic'],
      ],
    );
  });
});

describe('the app', () => {
  it('runs on Flex Consumption with its own identity, over TLS 1.2 alone', () => {
    everyOne('Microsoft.Web/serverfarms', [
      "sku: { name: 'FC1', tier: 'FlexConsumption' }",
      'properties: { reserved: true }',
    ]);
    everyOne('Microsoft.Web/sites', [
      "kind: 'functionapp,linux'",
      "type: 'UserAssigned'",
      'httpsOnly: true',
      "minTlsVersion: '1.2'",
      "scmMinTlsVersion: '1.2'",
      "runtime: { name: 'node', version: nodeVersion }",
      "authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }",
    ]);
    assert.match(bicepFile('main.bicep').text, /@allowed\(\['22', '24'\]\)\nparam nodeVersion string = '22'/);
  });

  it('is published by Entra tokens alone', () => {
    const policies = made('Microsoft.Web/sites/basicPublishingCredentialsPolicies');
    assert.deepEqual(policies.map(({ symbol }) => symbol).sort(), ['ftp', 'scm']);
    for (const { body } of policies) assert.match(body, /properties: \{ allow: false \}/);
  });

  it('has telemetry that takes nothing without an identity', () => {
    everyOne('Microsoft.Insights/components', [
      'DisableLocalAuth: true',
      'WorkspaceResourceId: workspace.id',
    ]);
    everyOne('Microsoft.OperationalInsights/workspaces', [
      'features: { disableLocalAuth: true, enableLogAccessUsingOnlyResourcePermissions: true }',
    ]);
  });

  it('hears of vaults through topics that have identities of their own', () => {
    everyOne('Microsoft.EventGrid/systemTopics', ["identity: { type: 'SystemAssigned' }"]);
    const [subscription] = made('Microsoft.EventGrid/systemTopics/eventSubscriptions');
    assert.match(subscription?.body ?? '', /deliveryWithResourceIdentity/);
    assert.doesNotMatch(subscription?.body ?? '', /^ {6}destination:/m);
    const types = [
      ...bicepFile('modules/event-subscriptions.bicep').text.matchAll(/'Microsoft\.KeyVault\.([A-Z]\w+)'/g),
    ].map(([, type = '']) => type);
    const wanted = ['Certificate', 'Secret'].flatMap((of) =>
      ['NearExpiry', 'Expired', 'NewVersionCreated'].map((what) => of + what),
    );
    assert.deepEqual(types, wanted);
  });
});

describe('queues', () => {
  it('that somebody other than the app writes into are there before the app', () => {
    const functions = new URL('../../functions/', import.meta.url);
    const queues = readdirSync(functions).flatMap((file) =>
      [...readFileSync(new URL(file, functions), 'utf8').matchAll(/queueName: '([\w-]+)'/g)].map(
        ([, name = '']) => name,
      ),
    );
    assert.ok(queues.includes(WORK_QUEUE));
    const { text } = bicepFile('main.bicep');
    for (const queue of queues.filter((name) => name !== WORK_QUEUE)) {
      assert.ok(text.includes(`var eventQueue = '${queue}'`), queue);
    }
    assert.equal([...text.matchAll(/(?:eventQueue|queueName): eventQueue/g)].length, 3);
  });
});

describe('the templates', () => {
  it('write down every call of the vaults, and lock vaults and record', () => {
    assert.match(bicepFile('modules/diagnostics.bicep').text, /category: 'AuditEvent', enabled: true/);
    const locks = made('Microsoft.Authorization/locks');
    assert.deepEqual(locks.map(({ symbol }) => symbol).sort(), ['recordLock', 'vaultLocks']);
    for (const { body } of locks) assert.match(body, /level: 'CanNotDelete'/);
  });

  it('carry no secret: none is asked for, read from a service or given out', () => {
    for (const { path, text } of bicepFiles()) {
      assert.doesNotMatch(text, /@secure\(|getSecret\(|\.list\w*\(|\blist[A-Z]\w*\(/, path);
      for (const [line] of text.matchAll(/^output .*$/gm)) {
        assert.doesNotMatch(
          line,
          /key(?!Vault)|secret|password|connection|instrumentation|sas/i,
          `${path}: ${line}`,
        );
      }
    }
  });

  it('use one version of each type, and of Key Vault the one that stays', () => {
    const versions = new Map<string, Set<string>>();
    for (const { type, version } of resources()) {
      versions.set(type, (versions.get(type) ?? new Set()).add(version));
    }
    for (const [type, found] of versions) assert.equal(found.size, 1, `${type}: ${[...found].join(', ')}`);
    // Every earlier one ends on 27 February 2027: https://learn.microsoft.com/azure/key-vault/general/access-control-default
    for (const { type, version } of resources()) {
      if (type.startsWith('microsoft.keyvault/')) assert.equal(version, '2026-02-01', type);
      // Of this type there is nothing but previews that everybody uses.
      else if (type !== 'microsoft.insights/diagnosticsettings')
        assert.doesNotMatch(version, /preview/, type);
    }
  });

  it('tag whatever can have tags', () => {
    const untagged = resources().filter(
      ({ body, isExisting }) => !isExisting && /^\s*location: /m.test(body) && !/^\s*tags: /m.test(body),
    );
    assert.deepEqual(
      untagged.map(({ file, symbol }) => `${file}: ${symbol}`),
      [],
    );
    const { text } = bicepFile('main.bicep');
    assert.match(text, /'azd-env-name': environmentName/);
    assert.ok(![...text.matchAll(/^ +tags: (.*)$/gm)].some(([, value]) => value !== 'everyTag'));
  });
});
