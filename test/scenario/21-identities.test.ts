/** Identities that operators make, change, delete and make again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientTemplate, IdentityWishes } from '../../shared/domain/identity.ts';
import { DAY_MS } from '../../shared/domain/instants.ts';
import { vaultCertificateName } from '../../shared/domain/names.ts';
import { deleteIdentity } from '../../shared/use-cases/delete-identity.ts';
import { findRevocation } from '../../shared/use-cases/find-revocation.ts';
import { identityTag, readLiveIdentity } from '../../shared/use-cases/live-identity.ts';
import { addIdentity, changeIdentity, listIdentities } from '../../shared/use-cases/manage-identity.ts';
import { type InstancePage, listInstances, unlockInstance } from '../../shared/use-cases/manage-instances.ts';
import { putAssignment } from '../../shared/use-cases/role-assignments.ts';
import {
  certificateOf,
  identityOf,
  KMS,
  logIn,
  management,
  NODE_AGENT,
  requestOf,
  tokenFromVault,
} from '../support/agent.ts';
import { dieBefore } from '../support/faults.ts';
import { assertDueRows, assertWhole } from '../support/inspect-world.ts';
import type { World } from '../support/memory-world.ts';
import { nodeWithCertificate, prove, rotate, startedWorld } from '../support/operator-actions.ts';

const NODE: ClientTemplate = {
  name: 'node-1',
  clientType: 'Node',
  delivery: 'agent',
  credentials: 'kubelet',
};
const CLIENT: ClientTemplate = {
  name: 'Mail',
  clientType: 'ExternalClient',
  delivery: 'vault',
  credentials: 'cloud',
};
const node = management('node-1');
const client = management('Mail');

const add = (world: World, template: ClientTemplate, wishes: IdentityWishes = {}) =>
  addIdentity(world.deps, world.run, 'management', template, wishes);

test('21 an agent that an operator adds logs in with the login file of the answer', async () => {
  const world = await startedWorld();
  const { identity, loginFile, warnings } = await add(world, NODE, { dnsNames: ['Node-1.test'] });
  assert.deepEqual([identity.incarnation, identity.dnsNames, warnings], [1, ['node-1.test'], []]);
  assert.ok(loginFile !== null);
  assert.match(Buffer.from(loginFile.certificate, 'base64').toString(), /^-----BEGIN CERTIFICATE-----/);
  await logIn(world, loginFile.token.reveal(), requestOf(node, 'node 1'));
  await assert.rejects(add(world, { ...NODE, name: 'NODE-1' }), { code: 'AlreadyExists' });
});

test('21 a client of the vault that an operator adds finds its credentials there after the next scan', async () => {
  const world = await startedWorld();
  assert.equal((await add(world, CLIENT)).loginFile, null);
  await world.tick();
  await logIn(world, tokenFromVault(world, client), null);
  await assertWhole(world);
});

test('21 what cannot be is refused: names, clusters, dots in a vault, wishes out of bounds', async () => {
  const world = await startedWorld();
  const refused = { code: 'InvalidInput' };
  await assert.rejects(add(world, { ...NODE, name: 'no name' }), refused);
  await assert.rejects(add(world, { ...CLIENT, name: 'with.dot' }), refused);
  await assert.rejects(add(world, NODE, { tokenMaxUses: 0 }), refused);
  await assert.rejects(addIdentity(world.deps, world.run, 'nowhere', NODE, {}), { code: 'NotFound' });
  await assert.rejects(listIdentities(world.deps, 'nowhere', { after: null, limit: 10 }), {
    code: 'NotFound',
  });
});

test('21 a change names what it has seen; a login in between does not stand in its way, another change does', async () => {
  const world = await startedWorld();
  const seen = await identityOf(world, NODE_AGENT);
  const tag = identityTag(world.deps, seen);
  await nodeWithCertificate(world);
  const change = (wishes: IdentityWishes, ifMatch: readonly string[] | null) =>
    changeIdentity(world.deps, world.run, NODE_AGENT, wishes, ifMatch);
  await assert.rejects(change({ tokenMaxUses: 5 }, null), { code: 'PreconditionRequired' });
  const changed = await change({ tokenMaxUses: 5, dnsNames: ['n.test'] }, [tag]);
  assert.deepEqual([changed.tokenMaxUses, changed.dnsNames], [5, ['n.test']]);
  await assert.rejects(change({ tokenMaxUses: 6 }, [tag]), { code: 'PreconditionFailed' });
});

test('21 autoRotate that is turned on rotates a token that was only reminded of', async () => {
  const world = await startedWorld();
  await changeIdentity(world.deps, world.run, KMS, { autoRotate: false }, 'any');
  world.clock.advance(46 * DAY_MS);
  await world.tick();
  assert.equal((await identityOf(world, KMS)).token.generation, 0);
  await changeIdentity(world.deps, world.run, KMS, { autoRotate: true }, 'any');
  await world.tick();
  assert.equal((await identityOf(world, KMS)).token.generation, 1);
  await assertDueRows(world);
});

test('21 a deleted identity is gone for everybody, and its versions in the vault are disabled', async () => {
  const world = await startedWorld();
  const { token, certificate } = await nodeWithCertificate(world);
  await deleteIdentity(world.deps, world.run, NODE_AGENT);
  await assert.rejects(readLiveIdentity(world.deps, NODE_AGENT), { code: 'NotFound' });
  await assert.rejects(rotate(world, NODE_AGENT), { code: 'NotFound' });
  await assert.rejects(logIn(world, token, requestOf(NODE_AGENT, 'node')), { code: 'Revoked' });
  await assert.rejects(prove(world, certificate, 'node'), { code: 'Revoked' });

  world.clock.advance(46 * DAY_MS);
  await world.tick();
  const name = vaultCertificateName(KMS);
  assert.equal((await world.clientVault.enabledVersions(name)).length, 2);
  await deleteIdentity(world.deps, world.run, KMS);
  assert.deepEqual(await world.clientVault.enabledVersions(name), []);
  assert.equal(world.clientVault.versions(name).length, 2, 'a version was lost');
  await deleteIdentity(world.deps, world.run, KMS);
  const { items } = await listIdentities(world.deps, 'management', { after: null, limit: 100 });
  assert.deepEqual(
    items.map(({ name: one }) => one).filter((one) => one === 'KMS' || one === 'NodeAgent'),
    [],
  );
  await assertDueRows(world);
});

test('21 a deletion that dies anywhere is finished by the next', async () => {
  for (let call = 1; ; call++) {
    const world = await startedWorld();
    const fault = dieBefore(call, world.deps);
    const died = await deleteIdentity(fault.deps, world.run, KMS).then(
      () => false,
      () => true,
    );
    await deleteIdentity(world.deps, world.run, KMS);
    assert.deepEqual(await world.clientVault.enabledVersions(vaultCertificateName(KMS)), []);
    assert.ok((await identityOf(world, KMS)).deletedAt !== null);
    await assertDueRows(world);
    if (!died) break;
  }
});

test('21 an identity that is made again has nothing to do with the earlier one', async () => {
  const world = await startedWorld();
  const { token, certificate } = await nodeWithCertificate(world);
  const unused = (await rotate(world, NODE_AGENT)).token.reveal();
  await deleteIdentity(world.deps, world.run, NODE_AGENT);
  const again = await add(world, { ...NODE, name: 'nodeagent' });
  assert.equal(again.identity.incarnation, 2);
  for (const old of [token, unused]) {
    await assert.rejects(logIn(world, old, requestOf(NODE_AGENT, 'node')), {
      code: 'Expired',
      details: { reason: 'token-superseded' },
    });
  }
  await assert.rejects(prove(world, certificate, 'node'), {
    code: 'Revoked',
    details: { reason: 'identity-deleted' },
  });
  assert.ok(again.loginFile !== null);
  const fresh = again.loginFile.token.reveal();
  const id = management('nodeagent');
  await assert.rejects(logIn(world, fresh, requestOf(id, 'node')), {
    code: 'InvalidCertificateRequest',
    details: { reason: 'key-revoked' },
  });
  const answer = await logIn(world, fresh, requestOf(id, 'new key'));
  await prove(world, certificateOf(answer), 'new key');
  await assertDueRows(world);
});

test('21 a client of the vault that is made again gets new versions, and a warning of rights that stand', async () => {
  const world = await startedWorld();
  const before = await identityOf(world, KMS);
  const old = tokenFromVault(world, KMS);
  const assignment = {
    id: 'kms-reads',
    roleName: 'Reader',
    scope: '/',
    principal: { kind: 'identity', cluster: 'management', name: 'KMS' },
  } as const;
  await putAssignment(world.deps, world.run, assignment, null);
  await deleteIdentity(world.deps, world.run, KMS);
  const { warnings } = await add(world, { ...CLIENT, name: 'KMS' });
  assert.match(
    warnings.join('\n'),
    /kms-reads still stands: the earlier management\/KMS was Reader at \/, and/,
  );
  assert.match(warnings.join('\n'), /client--management--kms/);
  await world.tick();
  assert.equal((await world.clientVault.enabledVersions(vaultCertificateName(KMS))).length, 1);
  await assert.rejects(logIn(world, old, null), { code: 'Expired' });
  await logIn(world, tokenFromVault(world, KMS), null);
  const record = await world.deps.identities.certificate(KMS, before.certificate.head?.serialNumber ?? '');
  assert.ok(record !== null);
  const now = await identityOf(world, KMS);
  assert.equal(await findRevocation(world.deps, now, null, record), 'identity-deleted');
  await assertWhole(world);
});

test('21 identities are listed page by page, and lines with what became of them', async () => {
  const world = await startedWorld();
  const names: string[] = [];
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof listIdentities>> = await listIdentities(world.deps, 'management', {
      after,
      limit: 4,
    });
    names.push(...page.items.map(({ name }) => name));
    after = page.nextCursor;
  } while (after !== null);
  assert.equal(new Set(names).size, 10);
  assert.equal(names.length, 10);

  const { answer } = await nodeWithCertificate(world);
  const stored = await world.deps.identities.instance(NODE_AGENT, answer.instance);
  assert.ok(stored !== null);
  const value = { ...stored.value, lockedAt: world.clock.now() };
  await world.deps.identities.commit('management', [
    { op: 'replace', kind: 'instance', value, etag: stored.etag },
  ]);
  await assert.rejects(prove(world, certificateOf(answer), 'node'), { code: 'Locked' });
  for (let time = 0; time < 2; time++) {
    assert.equal((await unlockInstance(world.deps, world.run, NODE_AGENT, answer.instance)).lockedAt, null);
  }
  await prove(world, certificateOf(answer), 'node');
  assert.equal((await listInstances(world.deps, NODE_AGENT, { after: null, limit: 1 })).items.length, 1);
  for (const id of ['f'.repeat(32), 'vault', '../x']) {
    await assert.rejects(unlockInstance(world.deps, world.run, NODE_AGENT, id), { code: 'NotFound' });
  }
});

test('21 the lines of an identity are listed page by page, those of earlier incarnations too', async () => {
  const world = await startedWorld();
  const { token, answer } = await nodeWithCertificate(world);
  const ids = [answer.instance];
  for (const owner of ['second', 'third']) {
    ids.push((await logIn(world, token, requestOf(NODE_AGENT, owner))).instance);
  }
  await deleteIdentity(world.deps, world.run, NODE_AGENT);
  await add(world, { ...NODE, name: NODE_AGENT.name });
  const found: string[] = [];
  let after: string | null = null;
  let pages = 0;
  do {
    const page: InstancePage = await listInstances(world.deps, NODE_AGENT, { after, limit: 2 });
    found.push(...page.items.map(({ id }) => id));
    after = page.nextCursor;
    pages += 1;
  } while (after !== null);
  assert.deepEqual([found, pages], [ids.sort(), 2]);
  const whole = await listInstances(world.deps, NODE_AGENT, { after: null, limit: 3 });
  assert.equal(whole.nextCursor, null);
  for (const cursor of ['', 'vault', '../x']) {
    await assert.rejects(listInstances(world.deps, NODE_AGENT, { after: cursor, limit: 2 }), {
      code: 'InvalidInput',
    });
  }
});
