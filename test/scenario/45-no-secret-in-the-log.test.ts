/** The audit log is read by people who may not hold a credential: whatever happens, none stands in it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SEAL_AFTER_MS } from '../../shared/domain/audit.ts';
import { DAY_MS, HOUR_MS } from '../../shared/domain/instants.ts';
import { VAULT_ROTATION_KEY_NAME, vaultTokenName } from '../../shared/domain/names.ts';
import { decodeToken } from '../../shared/domain/token.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { logInWithToken } from '../../shared/use-cases/log-in-with-token.ts';
import { reconcile } from '../../shared/use-cases/reconcile.ts';
import { sealAudit } from '../../shared/use-cases/seal-audit.ts';
import {
  identityOf,
  KMS,
  logIn,
  NODE_AGENT,
  requestOf,
  tokenFromLoginFile,
  tokenFromVault,
} from '../support/agent.ts';
import { refuseCalls } from '../support/faults.ts';
import { allIdentities } from '../support/inspect-world.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';

/** Every row of the record that has to do with an event. */
async function auditRows(world: World): Promise<{ key: string; data: string }[]> {
  const partitions = Array.from({ length: world.deps.audit.partitions }, (_, i) =>
    String(i).padStart(2, '0'),
  );
  const kinds = ['o', 'e', 'x', 'h'];
  const ranges = [...partitions, 'fleet'].flatMap((partition) =>
    kinds.map((kind) => world.tables.record.range(partition, `${kind}|`, `${kind}}`, 10_000)),
  );
  return (await Promise.all(ranges)).flat();
}

/** The forms in which a secret could stand somewhere. */
function formsOf(secret: Uint8Array): string[] {
  const bytes = Buffer.from(secret);
  return [bytes.toString('hex'), bytes.toString('base64').replace(/=+$/, ''), bytes.toString('base64url')];
}

test('45 No token, secret or key stands in any event, of whatever writer', async () => {
  const world = memoryWorld();
  const tokens: string[] = [];
  await firstStart(world.deps, world.run);
  const nodeToken = await tokenFromLoginFile(world, NODE_AGENT);
  const csr = requestOf(NODE_AGENT, 'node');
  tokens.push(nodeToken, tokenFromVault(world, KMS));
  await logIn(world, nodeToken, csr);
  await logIn(world, tokenFromVault(world, KMS), null);
  // Refused ones: altered, cut short, and a request that holds more than it should.
  for (const [token, request] of [
    [`${nodeToken.slice(0, -1)}x`, csr],
    [nodeToken.slice(0, 20), csr],
    [nodeToken, `${csr}${nodeToken}`],
  ] as const) {
    await assert.rejects(logInWithToken(world.deps, world.run, { token, csr: request, bundleId: null }));
  }
  // A vault that fails, then renewals and rotations, then a vault that somebody touches.
  world.clock.advance(46 * DAY_MS);
  await world.tick(refuseCalls(world.deps, ({ port }) => port === 'signer' || port === 'clientSecrets'));
  for (let hour = 0; hour < 12; hour++) {
    world.clock.advance(HOUR_MS);
    await world.tick();
  }
  const kms = await identityOf(world, KMS);
  await world.deps.identities.commit(KMS.cluster, [
    { op: 'remove', kind: 'due', identity: KMS, key: kms.token.dueKey ?? '' },
  ]);
  for (const name of world.authorityVault.names()) world.authorityVault.softDelete(name);
  await reconcile(world.deps, world.run);
  for (const name of world.authorityVault.names()) await world.authorityVault.recover(name);
  const waiting = await auditRows(world);
  world.clock.advance(SEAL_AFTER_MS + 1);
  await sealAudit(world.deps, world.run);
  const rows = [...waiting, ...(await auditRows(world))];

  const types = new Set(rows.flatMap(({ data }) => /"type":"([a-z-]+)"/.exec(data)?.[1] ?? []));
  assert.deepEqual([...types].sort(), [
    'agent-reminded',
    'authority-activated',
    'authority-prepared',
    'authority-published',
    'certificate-issued',
    'certificate-renewed',
    'identity-created',
    'login',
    'login-denied',
    'reconciled',
    'renewal-failed',
    'renewal-queued',
    'rotation-reminded',
    'token-delivered',
    'token-rotated',
  ]);
  for (const identity of await allIdentities(world)) {
    const versions = world.clientSecrets.versions(vaultTokenName(identity));
    tokens.push(...versions.map(({ value }) => value.reveal()));
  }
  const rotationKey = world.authoritySecrets.versions(VAULT_ROTATION_KEY_NAME)[0]?.value.reveal() ?? '';
  const secrets = [rotationKey, ...formsOf(Buffer.from(rotationKey, 'base64url')), 'PRIVATE KEY', 'BEGIN '];
  for (const token of tokens) {
    const decoded = decodeToken(token);
    assert.ok(typeof decoded !== 'string');
    secrets.push(token, ...formsOf(decoded.secret.reveal()));
  }
  assert.ok(tokens.length > 15 && rows.length > 100);
  for (const { key, data } of rows) {
    for (const secret of secrets) assert.equal((key + data).includes(secret), false, `${key} holds a secret`);
  }
});
