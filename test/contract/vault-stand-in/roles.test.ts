import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, type TestContext, test } from 'node:test';
import type { RoleDefinitions } from '../../../infra/local/vault/config.ts';
import { startVaults } from '../../../infra/local/vault/vaults.ts';
import { controlAt } from './control.ts';
import { type Clients, clientsFor, collect, configFor, temporaryDirectory } from './harness.ts';
import { issueFor, requestCertificate } from './issuing.ts';

const definitions = JSON.parse(
  await readFile(new URL('../../../infra/role-definitions.json', import.meta.url), 'utf8'),
) as RoleDefinitions;

const policy = { subject: 'CN=a', keyType: 'EC', contentType: 'application/x-pem-file' } as const;
const self = { ...policy, issuerName: 'Self' } as const;

/** What the app does with a vault: how it is prepared by somebody who may do everything, and the app's own calls. */
interface Call {
  readonly prepare?: (owner: Clients, name: string) => Promise<unknown>;
  readonly run: (app: Clients, name: string, prepared: unknown) => Promise<unknown>;
}

const finished = async ({ certificates }: Clients, name: string) =>
  (await certificates.beginCreateCertificate(name, self)).pollUntilDone();
const deletedCertificate = async (owner: Clients, name: string) => {
  await finished(owner, name);
  await (await owner.certificates.beginDeleteCertificate(name)).pollUntilDone();
};
const deletedSecret = async ({ secrets }: Clients, name: string) => {
  await secrets.setSecret(name, 'value');
  await (await secrets.beginDeleteSecret(name)).pollUntilDone();
};
const purgedCertificate = async (owner: Clients, name: string) => {
  await finished(owner, name);
  const backup = await owner.certificates.backupCertificate(name);
  await (await owner.certificates.beginDeleteCertificate(name)).pollUntilDone();
  await owner.certificates.purgeDeletedCertificate(name);
  return backup;
};
const purgedSecret = async ({ secrets }: Clients, name: string) => {
  await secrets.setSecret(name, 'value');
  const backup = await secrets.backupSecret(name);
  await (await secrets.beginDeleteSecret(name)).pollUntilDone();
  await secrets.purgeDeletedSecret(name);
  return backup;
};
const pollOptions = { intervalInMs: 1 };

const certificateCalls: Readonly<Record<string, Call>> = {
  'make a request': {
    run: ({ certificates }, name) =>
      certificates.beginCreateCertificate(name, { ...policy, issuerName: 'Unknown' }),
  },
  'read a pending operation': {
    prepare: ({ certificates }, name) => requestCertificate(certificates, name, policy),
    run: ({ certificates }, name) => certificates.getCertificateOperation(name),
  },
  'forget a pending operation': {
    prepare: ({ certificates }, name) => requestCertificate(certificates, name, policy),
    run: ({ certificates }, name) => certificates.deleteCertificateOperation(name),
  },
  merge: {
    prepare: async ({ certificates }, name) =>
      (await issueFor(await requestCertificate(certificates, name, policy))).leaf,
    run: ({ certificates }, name, leaf) => certificates.mergeCertificate(name, [leaf as Buffer]),
  },
  'read a certificate': {
    prepare: finished,
    run: ({ certificates }, name) => certificates.getCertificate(name),
  },
  'disable a version': {
    prepare: async (owner, name) => (await finished(owner, name)).properties.version,
    run: ({ certificates }, name, version) =>
      certificates.updateCertificateProperties(name, version as string, { enabled: false }),
  },
  'recover a certificate': {
    prepare: deletedCertificate,
    run: async ({ certificates }, name) =>
      (await certificates.beginRecoverDeletedCertificate(name, pollOptions)).pollUntilDone(),
  },
};

const secretCalls: Readonly<Record<string, Call>> = {
  'write a secret': { run: ({ secrets }, name) => secrets.setSecret(name, 'value') },
  'recover a secret': {
    prepare: deletedSecret,
    run: async ({ secrets }, name) =>
      (await secrets.beginRecoverDeletedSecret(name, pollOptions)).pollUntilDone(),
  },
};

const calls: Readonly<Record<string, Readonly<Record<string, Call>>>> = {
  authorityVault: {
    'make a self-signed version': {
      run: ({ certificates }, name) => certificates.beginCreateCertificate(name, self),
    },
    ...certificateCalls,
    'back up a certificate': {
      prepare: finished,
      run: ({ certificates }, name) => certificates.backupCertificate(name),
    },
    sign: {
      prepare: async (owner, name) => (await finished(owner, name)).keyId,
      run: (app, _, keyId) => app.cryptography(keyId as string).sign('ES256', randomBytes(32)),
    },
  },
  rotationKey: {
    'read a secret': {
      prepare: ({ secrets }, name) => secrets.setSecret(name, 'value'),
      run: ({ secrets }, name) => secrets.getSecret(name),
    },
    'back up a secret': {
      prepare: ({ secrets }, name) => secrets.setSecret(name, 'value'),
      run: ({ secrets }, name) => secrets.backupSecret(name),
    },
    // Last: it leaves its one name soft-deleted when it fails.
    ...secretCalls,
  },
  clientVault: { ...certificateCalls, ...secretCalls },
  restore: {
    'list the versions of a certificate': {
      prepare: finished,
      run: ({ certificates }, name) => collect(certificates.listPropertiesOfCertificateVersions(name)),
    },
    'restore a certificate': {
      prepare: purgedCertificate,
      run: ({ certificates }, _, backup) => certificates.restoreCertificateBackup(backup as Uint8Array),
    },
    'recover a certificate': certificateCalls['recover a certificate'] as Call,
    'list the versions of a secret': {
      prepare: ({ secrets }, name) => secrets.setSecret(name, 'value'),
      run: ({ secrets }, name) => collect(secrets.listPropertiesOfSecretVersions(name)),
    },
    'restore a secret': {
      prepare: purgedSecret,
      run: ({ secrets }, _, backup) => secrets.restoreSecretBackup(backup as Uint8Array),
    },
    'recover a secret': secretCalls['recover a secret'] as Call,
  },
};

/** The SDK's lists say no more of a refusal. */
const UNNAMED = 'Pagination failed with unexpected statusCode 403';

/**
 * Which calls break, and the action that the error names which the SDK throws then. Calls in brackets work, because the
 * SDK knows another way; but the vault's audit log has a refusal that would worry an operator.
 */
const certificatesBreak = {
  'certificates/read': {
    'make a request': 'certificates/read',
    'read a pending operation': 'certificates/read',
    'read a certificate': 'certificates/read',
    '(recover a certificate)': 'certificates/read',
  },
  'certificates/create/action': {
    'make a request': 'certificates/create/action',
    merge: 'certificates/create/action',
  },
  'certificates/update/action': {
    'forget a pending operation': 'certificates/update/action',
    'disable a version': 'certificates/update/action',
  },
  'certificates/recover/action': { 'recover a certificate': 'certificates/recover/action' },
};
const secretsBreak = {
  'secrets/setSecret/action': { 'write a secret': 'secrets/setSecret/action' },
  'secrets/recover/action': { 'recover a secret': 'secrets/recover/action' },
};
const expected: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, string>>>>>> = {
  authorityVault: {
    ...certificatesBreak,
    'certificates/read': {
      'make a self-signed version': 'certificates/read',
      ...certificatesBreak['certificates/read'],
    },
    'certificates/create/action': {
      'make a self-signed version': 'certificates/create/action',
      ...certificatesBreak['certificates/create/action'],
    },
    'certificates/backup/action': { 'back up a certificate': 'certificates/backup/action' },
    // CryptographyClient signs without knowing the key, after it was refused to read it.
    'keys/read': { '(sign)': 'keys/read' },
    'keys/sign/action': { sign: 'keys/sign/action' },
  },
  rotationKey: {
    ...secretsBreak,
    'secrets/getSecret/action': {
      'read a secret': 'secrets/getSecret/action',
      '(recover a secret)': 'secrets/getSecret/action',
    },
    'secrets/backup/action': { 'back up a secret': 'secrets/backup/action' },
  },
  clientVault: { ...certificatesBreak, ...secretsBreak },
  restore: {
    'certificates/read': {
      'list the versions of a certificate': UNNAMED,
      '(recover a certificate)': 'certificates/read',
    },
    'certificates/restore/action': { 'restore a certificate': 'certificates/restore/action' },
    'certificates/recover/action': certificatesBreak['certificates/recover/action'],
    'secrets/readMetadata/action': { 'list the versions of a secret': UNNAMED },
    'secrets/restore/action': { 'restore a secret': 'secrets/restore/action' },
    'secrets/recover/action': secretsBreak['secrets/recover/action'],
  },
};

/** Refusals that are meant to be: the SDK looks whether a recovered secret can be read, and the app must not be able to. */
const always: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  clientVault: { '(recover a secret)': 'secrets/getSecret/action' },
  restore: { '(recover a secret)': 'secrets/getSecret/action' },
};

const PREFIX = 'Microsoft.KeyVault/vaults/';

/** Runs every call of a role by an app that holds these actions alone; gives the calls that met a refusal. */
async function broken(
  t: TestContext,
  role: string,
  dataActions: readonly string[],
): Promise<Record<string, string>> {
  const { vault, scope } = assignmentOf(role);
  const definition = { roleName: role, description: '', dataActions };
  const vaults = await startVaults(
    configFor(await temporaryDirectory(t), {
      vaults: [{ name: vault, port: 0, quotas: false }],
      faultsPort: 0,
      roles: { roles: { [role]: definition }, assignments: [] },
      assignments: [
        { principalId: 'owner', role: '*', vault: '*', scope: '/' },
        { principalId: 'app', role, vault, scope },
      ],
    }),
    { authenticate: (token) => token },
  );
  t.after(() => vaults.stop());
  const url = vaults.urls[vault] ?? '';
  const audit = controlAt(vaults.controlUrl ?? '');
  const failures: Record<string, string> = {};
  for (const [title, { prepare, run }] of Object.entries(calls[role] ?? {})) {
    const owner = clientsFor(url, 'owner');
    // A role for one object is for this one name.
    const name = scope === '/' ? title.replaceAll(' ', '-') : (scope.split('/').at(-1) ?? '');
    const prepared = await prepare?.(owner, name);
    const before = (await audit.audit()).length;
    try {
      await run(clientsFor(url, 'app'), name, prepared);
    } catch (error) {
      failures[title] = describeRefusal(error);
      continue;
    }
    const refusal = (await audit.audit()).slice(before).find(({ HttpStatusCode }) => HttpStatusCode === 403);
    if (refusal !== undefined) failures[`(${title})`] = actionIn(String(refusal['ResultDescription']));
  }
  return failures;
}

/** What an operator would see: anything but a refusal by role that names the action is a failure of this test. */
function describeRefusal(error: unknown): string {
  const { name, statusCode, code, message } = error as {
    name: string;
    statusCode: number;
    code: string;
    message: string;
  };
  assert.deepEqual({ name, statusCode, code }, { name: 'RestError', statusCode: 403, code: 'Forbidden' });
  return actionIn(message);
}

/** The action that a refusal by role names; the whole message when it is another. */
function actionIn(message: string): string {
  const lines = message.split('\r\n');
  const isRefusal = lines[0] === 'Caller is not authorized to perform action on resource.';
  const named = lines.find((line) => line.startsWith(`Action: '${PREFIX}`));
  return isRefusal && named !== undefined ? named.slice(`Action: '${PREFIX}`.length, -1) : message;
}

function assignmentOf(role: string): { vault: string; scope: string } {
  // Nobody has it but an operator, while restoring.
  if (role === 'restore') return { vault: 'authority', scope: '/' };
  const assignment = definitions.assignments.find((each) => each.role === role);
  assert.ok(assignment !== undefined, `${role} is assigned to nobody`);
  return assignment;
}

/** What is always refused, without the calls that do not get so far. */
function stillRefused(role: string, breaks: Readonly<Record<string, string>>): Record<string, string> {
  const isReached = ([title]: [string, string]) => breaks[title.slice(1, -1)] === undefined;
  return Object.fromEntries(Object.entries(always[role] ?? {}).filter(isReached));
}

describe("The app's roles", () => {
  for (const [role, { dataActions }] of Object.entries(definitions.roles)) {
    test(`${role} lets the app do all that it does.`, async (t) => {
      assert.deepEqual(await broken(t, role, dataActions), always[role] ?? {});
    });

    for (const removed of dataActions) {
      const action = removed.slice(PREFIX.length);
      const breaks = expected[role]?.[action] ?? {};
      const list = Object.keys(breaks).join(', ');
      test(`${role} without ${action} breaks: ${list}.`, async (t) => {
        assert.notEqual(list, '', 'an action that nothing needs is one too many');
        const rest = dataActions.filter((each) => each !== removed);
        assert.deepEqual(await broken(t, role, rest), { ...stillRefused(role, breaks), ...breaks });
      });
    }
  }

  test('hold no right to purge, to read client secrets, or to take a key out; copies open in a vault alone.', () => {
    const actions = (role: string) => definitions.roles[role]?.dataActions ?? [];
    const all = definitions.assignments.map(({ role }) => role).flatMap(actions);
    assert.deepEqual(
      all.filter((action) => /purge|backup|restore|import|delete|export|\*/i.test(action)),
      [`${PREFIX}certificates/backup/action`, `${PREFIX}secrets/backup/action`],
    );
    assert.ok(!actions('clientVault').some((action) => /getSecret/.test(action)));
    assert.ok(!actions('authorityVault').some((action) => /secrets\//.test(action)));
  });

  test('to restore is nobody’s by assignment, and lets nobody read, sign, or write anything else.', () => {
    assert.ok(!definitions.assignments.some(({ role }) => role === 'restore'));
    const all = definitions.roles['restore']?.dataActions ?? [];
    assert.ok(!all.some((action) => /getSecret|setSecret|sign|create|update|backup|purge/.test(action)));
  });
});
