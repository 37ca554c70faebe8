import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSettings } from '../../../shared/config/settings.ts';
import { EverleafError } from '../../../shared/domain/errors.ts';

const IN_AZURE = {
  WEBSITE_SITE_NAME: 'everleaf',
  AUTHORITY_VAULT_URL: 'https://authority.vault.azure.net/',
  CLIENT_VAULT_URL: 'https://clients.vault.azure.net',
  RECORD_STORAGE__tableServiceUri: 'https://everleaf.table.core.windows.net/',
  RECORD_STORAGE__queueServiceUri: 'https://everleaf.queue.core.windows.net',
  RECORD_STORAGE__blobServiceUri: 'https://everleaf.blob.core.windows.net',
  AZURE_CLIENT_ID: '11111111-2222-3333-4444-555555555555',
  OPERATOR_ISSUER: 'https://login.microsoftonline.com/tenant/v2.0',
  OPERATOR_AUDIENCE: 'api://everleaf',
  OPERATOR_TENANT_ID: 'tenant',
  PUBLIC_BASE_URL: 'https://everleaf.azurewebsites.net',
  TRUST_DOMAIN: 'everleaf.example.com',
  CLOUD_FQDN: 'cloud.example.com',
};

const LOOPBACK_STORAGE =
  'DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=a2V5;' +
  'BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;' +
  'TableEndpoint=http://127.0.0.1:10002/devstoreaccount1;';

const ON_ONE_MACHINE = {
  ...IN_AZURE,
  WEBSITE_SITE_NAME: undefined,
  AUTHORITY_VAULT_URL: 'http://127.0.0.1:7100',
  CLIENT_VAULT_URL: 'http://localhost:7101',
  OPERATOR_ISSUER: 'http://[::1]:7102',
  RECORD_STORAGE__tableServiceUri: undefined,
  RECORD_STORAGE__queueServiceUri: undefined,
  RECORD_STORAGE__blobServiceUri: undefined,
  RECORD_STORAGE: LOOPBACK_STORAGE,
};

/** The lines of mistakes that these settings are refused with. */
function mistakes(environment: Record<string, string | undefined>): string[] {
  try {
    readSettings(environment);
  } catch (error) {
    assert.ok(error instanceof EverleafError);
    assert.equal(error.code, 'InvalidSettings');
    return error.message.split('\n- ').slice(1);
  }
  return assert.fail('the settings were accepted');
}

test('Settings of Azure are read, with the defaults of the contract', () => {
  const settings = readSettings(IN_AZURE);
  assert.deepEqual(settings.policy, {
    certificateValidityDays: 90,
    tokenValidityDays: 90,
    authorityValidityDays: 365,
    clientKeyType: 'RSA-2048',
    workloadDelivery: 'vault',
    authorityKeyType: 'EC-P256',
    authorityRoot: 'self',
    authorityRoots: [],
    vaultKeysPerMinute: 60,
    recoveryWindowDays: 30,
    recoveryBudget: 3,
    updateReminderDays: 60,
    loginFailuresPerSource: 30,
    issuancesPerIdentity: 200,
    taintWaveSize: 100,
    taintWaveMinutes: 15,
    crlValidityHours: 72,
    ocspSignaturesPerMinute: 600,
    ocspSignaturesPerSource: 120,
  });
  assert.deepEqual(settings.cloud, {
    fqdn: 'cloud.example.com',
    port: 55_000,
    authPort: 65_000,
    location: 'MocLocation',
  });
  assert.equal(settings.schedules.renewDue, '0 */15 * * * *');
  assert.equal(settings.schedules.reconcile, '0 30 2 * * *');
  assert.equal(settings.schedules.sealAudit, '0 */5 * * * *');
  assert.equal(settings.schedules.publishCrl, '0 15 */6 * * *');
  assert.equal(settings.schedules.renewResponders, '0 20 * * * *');
  assert.equal(settings.schedules.backup, '0 30 3 * * *');
  assert.deepEqual(settings.backupRecipients, []);
  assert.deepEqual(settings.storage, {
    tableServiceUri: 'https://everleaf.table.core.windows.net',
    queueServiceUri: 'https://everleaf.queue.core.windows.net',
    blobServiceUri: 'https://everleaf.blob.core.windows.net',
  });
});

test('Recipients of backups are a list, each of them checked by its form', () => {
  const one = `age1${'q'.repeat(58)}`;
  const other = `age1${'z'.repeat(58)}`;
  const read = (text: string) => readSettings({ ...IN_AZURE, BACKUP_RECIPIENTS: text }).backupRecipients;
  assert.deepEqual(read(one), [one]);
  assert.deepEqual(read(`${one}, ${other}`), [one, other]);
  for (const text of [
    'age1',
    `${one},`,
    `AGE-SECRET-KEY-1${'Q'.repeat(58)}`,
    one.toUpperCase(),
    `${one};${other}`,
  ]) {
    const found = mistakes({ ...IN_AZURE, BACKUP_RECIPIENTS: text });
    assert.match(found.join(), /^BACKUP_RECIPIENTS.*: is no list of recipients of age/, text);
    assert.doesNotMatch(found.join(), /SECRET/);
  }
});

test('URLs of services come out without a slash at their end', () => {
  const { authorityVaultUrl, clientVaultUrl } = readSettings(IN_AZURE);
  assert.equal(authorityVaultUrl, 'https://authority.vault.azure.net');
  assert.equal(clientVaultUrl, 'https://clients.vault.azure.net');
});

test('On one machine plain http to the loopback address is accepted, for storage too', () => {
  const settings = readSettings(ON_ONE_MACHINE);
  assert.equal(settings.clientVaultUrl, 'http://localhost:7101');
  assert.deepEqual(settings.storage, { connectionString: LOOPBACK_STORAGE });
});

test('An empty setting counts as absent', () => {
  assert.equal(
    readSettings({ ...IN_AZURE, CERTIFICATE_VALIDITY_DAYS: '' }).policy.certificateValidityDays,
    90,
  );
  assert.equal(
    readSettings({ ...ON_ONE_MACHINE, WEBSITE_SITE_NAME: '' }).clientVaultUrl,
    'http://localhost:7101',
  );
});

test('Inside Azure plain http is refused even to the loopback address', () => {
  for (const name of [
    'AUTHORITY_VAULT_URL',
    'CLIENT_VAULT_URL',
    'OPERATOR_ISSUER',
    'RECORD_STORAGE__tableServiceUri',
  ]) {
    const found = mistakes({ ...IN_AZURE, [name]: 'http://127.0.0.1:7100' });
    assert.deepEqual(found, [`${name}: must be an https URL: plain http is refused inside Azure`]);
  }
});

for (const [url, why] of [
  ['http://vault.example.com', 'plain http is for this machine alone'],
  ['http://127.0.0.1.example.com', 'plain http is for this machine alone'],
  ['http://10.0.0.1', 'plain http is for this machine alone'],
  ['ftp://127.0.0.1', 'must be an https URL'],
  ['vault.example.com', 'is not a URL'],
  ['https://user:secret@vault.example.com', 'must have neither credentials'],
  ['https://vault.example.com/?a=b', 'must have neither credentials'],
  ['https://vault.example.com/#a', 'must have neither credentials'],
] as const) {
  test(`The URL ${url} of a vault is refused outside Azure as well`, () => {
    const [mistake = '', ...others] = mistakes({ ...ON_ONE_MACHINE, AUTHORITY_VAULT_URL: url });
    assert.deepEqual(others, []);
    assert.ok(mistake.startsWith('AUTHORITY_VAULT_URL: ') && mistake.includes(why), mistake);
    assert.doesNotMatch(mistake, /secret/);
  });
}

test('A connection string is for storage on this machine alone', () => {
  const refused = /RECORD_STORAGE: is for tables, queues and blobs on this machine alone/;
  const inCloud =
    'DefaultEndpointsProtocol=https;AccountName=everleaf;AccountKey=a2V5;EndpointSuffix=core.windows.net';
  for (const text of [
    inCloud,
    'UseDevelopmentStorage=true',
    LOOPBACK_STORAGE.replace('127.0.0.1:10002', 'everleaf.table.core.windows.net'),
    // What is not named would be looked for in the cloud.
    `${inCloud};BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1`,
  ]) {
    const [mistake = ''] = mistakes({ ...ON_ONE_MACHINE, RECORD_STORAGE: text });
    assert.match(mistake, refused);
    assert.doesNotMatch(mistake, /a2V5/);
  }
  assert.match(mistakes({ ...IN_AZURE, RECORD_STORAGE: LOOPBACK_STORAGE }).join(), refused);
});

test('Without a connection string all three service addresses are needed', () => {
  const needed = [
    'RECORD_STORAGE__tableServiceUri, __queueServiceUri and __blobServiceUri: all three are needed',
  ];
  assert.deepEqual(mistakes({ ...IN_AZURE, RECORD_STORAGE__queueServiceUri: undefined }), needed);
  assert.deepEqual(mistakes({ ...IN_AZURE, RECORD_STORAGE__tableServiceUri: undefined }), needed);
  assert.deepEqual(mistakes({ ...IN_AZURE, RECORD_STORAGE__blobServiceUri: undefined }), needed);
});

test('All mistakes are reported at once, each with the name of its setting', () => {
  const found = mistakes({});
  for (const name of [
    'AUTHORITY_VAULT_URL',
    'CLIENT_VAULT_URL',
    'AZURE_CLIENT_ID',
    'OPERATOR_ISSUER',
    'OPERATOR_AUDIENCE',
    'OPERATOR_TENANT_ID',
    'PUBLIC_BASE_URL',
    'TRUST_DOMAIN',
    'CLOUD_FQDN',
    'RECORD_STORAGE__tableServiceUri',
  ]) {
    assert.equal(found.filter((line) => line.startsWith(name)).length, 1, name);
  }
  assert.equal(found.length, 10);
});

for (const [name, values] of [
  ['CERTIFICATE_VALIDITY_DAYS', ['0', '-1', '366', '1.5', 'ninety']],
  ['TOKEN_VALIDITY_DAYS', ['0', '366', 'NaN']],
  ['AUTHORITY_VALIDITY_DAYS', ['0', '3651', 'Infinity']],
  ['VAULT_KEYS_PER_MINUTE', ['0', '10001', '1e9']],
  ['LOGIN_FAILURES_PER_SOURCE', ['0', '1000001', '1.5']],
  ['ISSUANCES_PER_IDENTITY', ['0', '1000001', 'many']],
  ['TAINT_WAVE_SIZE', ['0', '1001', 'all']],
  ['TAINT_WAVE_MINUTES', ['0', '1441', '0.5']],
  ['OCSP_SIGNATURES_PER_MINUTE', ['0', '10001', 'many']],
  ['OCSP_SIGNATURES_PER_SOURCE', ['0', '10001', '1.5']],
  ['WORKLOAD_DELIVERY', ['Vault', 'none']],
  ['CLIENT_KEY_TYPE', ['EC-P256', 'RSA-1024', 'rsa-2048']],
  ['AUTHORITY_KEY_TYPE', ['EC-P384', 'RSA-1024']],
  ['AUTHORITY_ROOT', ['Self', 'https://ca.example']],
  ['AUTHORITY_ROOT_SHA256', ['ab', 'ab'.repeat(20), `${'ab'.repeat(32)};${'cd'.repeat(32)}`]],
  ['CLOUD_PORT', ['0', '65536', 'https']],
  ['CLOUD_AUTH_PORT', ['0', '65536']],
  ['TRUST_DOMAIN', ['Everleaf.example.com', 'a..b', '-a', 'a-', 'a_b', 'a.-b', `${'a'.repeat(64)}.b`, 'a/b']],
  ['CLOUD_FQDN', ['Cloud.example.com', 'a..b', '10.0.0.1', `${'a.'.repeat(127)}b`]],
  ['RENEW_DUE_SCHEDULE', ['sometimes', '* * *']],
  ['AUDIT_SEAL_SCHEDULE', ['sometimes', '* * *']],
  ['RENEW_RESPONDERS_SCHEDULE', ['sometimes', '* * *']],
  ['BACKUP_SCHEDULE', ['sometimes', '* * *']],
  ['WATCH_FLEET_SCHEDULE', ['sometimes', '* * *']],
  ['APPLICATIONINSIGHTS_CONNECTION_STRING', ['InstrumentationKey=1', 'https://example.com', 'x']],
] as const) {
  test(`${name} is checked`, () => {
    for (const value of values) {
      const found = mistakes({ ...IN_AZURE, [name]: value });
      assert.equal(found.length, 1, `${value}: ${found.join(' | ')}`);
      assert.ok(found[0]?.startsWith(`${name}: `), found[0]);
    }
  });
}

test('Settings that are right one by one and wrong together are refused', () => {
  const together = { ...IN_AZURE, CERTIFICATE_VALIDITY_DAYS: '90', AUTHORITY_VALIDITY_DAYS: '60' };
  assert.match(
    mistakes(together).join(),
    /AUTHORITY_VALIDITY_DAYS: is shorter than CERTIFICATE_VALIDITY_DAYS/,
  );
  const oneVault = { ...IN_AZURE, CLIENT_VAULT_URL: IN_AZURE.AUTHORITY_VAULT_URL };
  assert.match(mistakes(oneVault).join(), /CLIENT_VAULT_URL: is the authority vault/);
});

test('Every kind of key that the contract names can be set', () => {
  for (const keyType of ['RSA-2048', 'RSA-3072', 'RSA-4096'] as const) {
    const { policy } = readSettings({ ...IN_AZURE, CLIENT_KEY_TYPE: keyType, AUTHORITY_KEY_TYPE: keyType });
    assert.equal(policy.clientKeyType, keyType);
    assert.equal(policy.authorityKeyType, keyType);
  }
});

test('The outside roots that are accepted are named by their SHA-256, as tools print it', () => {
  const colons = 'AB:'.repeat(31);
  const { policy } = readSettings({
    ...IN_AZURE,
    AUTHORITY_ROOT: 'outside',
    AUTHORITY_ROOT_SHA256: `${colons}AB, ${'cd'.repeat(32)}`,
  });
  assert.equal(policy.authorityRoot, 'outside');
  assert.deepEqual(policy.authorityRoots, ['ab'.repeat(32), 'cd'.repeat(32)]);
  assert.match(
    mistakes({ ...IN_AZURE, AUTHORITY_ROOT_SHA256: 'cd'.repeat(32) })[0] ?? '',
    /AUTHORITY_ROOT_SHA256: is for AUTHORITY_ROOT=outside alone/,
  );
});
