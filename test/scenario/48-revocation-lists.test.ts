/** Revocation lists: what is revoked in whatever way stands on its authority's list, and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canPublishCrl } from '../../shared/domain/crl.ts';
import { MANAGEMENT_CLIENTS } from '../../shared/domain/identity.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../shared/domain/instants.ts';
import { MANAGEMENT_CLUSTER } from '../../shared/domain/names.ts';
import type { RevocationReason } from '../../shared/domain/revocation.ts';
import { parseCertificate } from '../../shared/pki/certificate.ts';
import { readAuthorityInfo, readCrlUrls } from '../../shared/pki/extension-reader.ts';
import { OID } from '../../shared/pki/oids.ts';
import { readActiveAuthority } from '../../shared/use-cases/authorities.ts';
import {
  activateAuthority,
  cancelAuthority,
  publishAuthority,
  revokeAuthority,
  taintAuthority,
} from '../../shared/use-cases/authority-steps.ts';
import { deleteIdentity } from '../../shared/use-cases/delete-identity.ts';
import { getPlan } from '../../shared/use-cases/get-plan.ts';
import { getStatus } from '../../shared/use-cases/get-status.ts';
import { addIdentity, changeIdentity } from '../../shared/use-cases/manage-identity.ts';
import { newAuthorityId, prepareAuthority } from '../../shared/use-cases/prepare-authority.ts';
import { publishAtOnce } from '../../shared/use-cases/publish-crl.ts';
import { readCrlInfo } from '../../shared/use-cases/read-crl.ts';
import { reconcile } from '../../shared/use-cases/reconcile.ts';
import { createRevocationRule, deleteRevocationRule } from '../../shared/use-cases/revocation-rules.ts';
import { revoke } from '../../shared/use-cases/revoke.ts';
import { identityOf, KMS, logIn, management, NODE_AGENT, requestOf } from '../support/agent.ts';
import { refuseCalls } from '../support/faults.ts';
import { interceptPorts, recordCalls } from '../support/intercepted-ports.ts';
import type { World } from '../support/memory-world.ts';
import { nodeWithCertificate, startedWorld } from '../support/operator-actions.ts';
import { listedReasons, onlyAuthorityId, publish, servedList } from '../support/revocation-lists.ts';

const ALL = { instance: null, serialNumber: null };
const NOTHING = { clientType: null, cluster: null, dnsName: null, issuedBefore: null };

async function serialOf(world: World, name: string): Promise<string> {
  const { head } = (await identityOf(world, management(name))).certificate;
  assert.ok(head !== null);
  return head.serialNumber;
}

const revokeNow = (world: World, name: string, reason: RevocationReason, since: Date | null = null) =>
  revoke(world.deps, world.run, management(name), ALL, reason, since);

test('48 a deployment has a list before anybody asks; weeks of renewals put nothing on it', async () => {
  const world = await startedWorld();
  await world.tick();
  assert.deepEqual(await listedReasons(world), {});
  const serial = await serialOf(world, 'KMS');
  for (let week = 0; week < 7; week++) {
    world.clock.advance(7 * DAY_MS);
    await world.tick();
    await publish(world);
  }
  assert.notEqual(await serialOf(world, 'KMS'), serial);
  assert.deepEqual(await listedReasons(world), {});
});

test('48 certificates say where their list and their authority’s certificate are', async () => {
  const world = await startedWorld();
  const { certificate } = await nodeWithCertificate(world);
  const { extensions } = parseCertificate(certificate);
  const id = await onlyAuthorityId(world);
  const read = (oid: string) => extensions.get(oid)?.value ?? new Uint8Array();
  assert.deepEqual(readCrlUrls(read(OID.crlDistributionPoints)), [`http://everleaf.test/api/crl/${id}`]);
  assert.deepEqual(readAuthorityInfo(read(OID.authorityInfoAccess)), {
    ocsp: ['http://everleaf.test/api/ocsp'],
    caIssuers: [`http://everleaf.test/api/ca/${id}`],
  });
});

test('48 whatever revokes a certificate puts it on the list at once, with its moment, reason and invalidity date', async () => {
  const world = await startedWorld();
  const { deps, run, clock } = world;
  const node = await nodeWithCertificate(world);
  const replica = await logIn(world, node.token, requestOf(NODE_AGENT, 'replica'));
  const since = new Date('2026-11-20T00:00:00Z');
  clock.advance(HOUR_MS);
  await revokeNow(world, 'KMS', 'privilegeWithdrawn');
  await revokeNow(world, 'KVA', 'keyCompromise', since);
  await deleteIdentity(deps, run, management('CSI'));
  const { instance } = node.answer;
  await revoke(deps, run, NODE_AGENT, { instance, serialNumber: null }, 'affiliationChanged');
  const one = { instance: null, serialNumber: replica.serialNumber };
  await revoke(deps, run, NODE_AGENT, one, 'superseded', since);
  await createRevocationRule(deps, run, { ...NOTHING, clientType: 'Host' }, 'unspecified');
  await world.tick();

  const expected = {
    [await serialOf(world, 'KMS')]: ['privilegeWithdrawn', null],
    [await serialOf(world, 'KVA')]: ['keyCompromise', since],
    [await serialOf(world, 'CSI')]: ['cessationOfOperation', null],
    [node.answer.serialNumber]: ['affiliationChanged', null],
    [replica.serialNumber]: ['superseded', since],
    [await serialOf(world, 'CloudAgent')]: ['unspecified', null],
  };
  const crl = await servedList(world, await onlyAuthorityId(world));
  const entries = [...crl.entries()];
  assert.deepEqual(
    Object.fromEntries(
      entries.map(({ serialNumber, reason, invalidityDate }) => [serialNumber, [reason, invalidityDate]]),
    ),
    expected,
  );
  assert.deepEqual(
    new Set(entries.map(({ revokedAt }) => revokedAt.getTime())),
    new Set([clock.now().getTime()]),
  );

  // That the key was compromised may turn out later, and the moment stays.
  clock.advance(HOUR_MS);
  await revokeNow(world, 'KMS', 'keyCompromise', since);
  await revokeNow(world, 'KMS', 'keyCompromise', new Date('2026-11-20T12:00:00Z'));
  await assert.rejects(revokeNow(world, 'KMS', 'keyCompromise', new Date('2027-01-01T00:00:00Z')), {
    code: 'InvalidInput',
  });
  await world.tick();
  const serial = await serialOf(world, 'KMS');
  const later = [...(await servedList(world, await onlyAuthorityId(world))).entries()];
  const { revokedAt, reason, invalidityDate } = later.find((entry) => entry.serialNumber === serial) ?? {};
  assert.deepEqual([reason, invalidityDate], ['keyCompromise', since]);
  assert.equal(revokedAt?.getTime(), clock.now().getTime() - HOUR_MS);
});

test('48 a burst of revocations gives one list, and a message that finds nothing to do makes none', async () => {
  const world = await startedWorld();
  await world.tick();
  const id = await onlyAuthorityId(world);
  const before = (await servedList(world, id)).number;
  for (const name of ['KMS', 'KVA', 'CSI', 'CAPH']) await revokeNow(world, name, 'superseded');
  const { deps, calls } = recordCalls(world.deps);
  assert.equal(world.queue.takeAnnouncements(), 4);
  for (let message = 0; message < 4; message++) await publishAtOnce(deps, world.run);
  assert.equal(calls.filter((call) => call === 'signer.sign').length, 1);
  assert.equal(Object.keys(await listedReasons(world)).length, 4);
  assert.ok((await servedList(world, id)).number > before);
});

test('48 what is revoked while a list is being made is on the next one, though its message found the lease held', async () => {
  const world = await startedWorld();
  await world.tick();
  await revokeNow(world, 'KMS', 'superseded');
  let isFirst = true;
  const signer = {
    sign: async (...args: Parameters<typeof world.deps.signer.sign>) => {
      if (isFirst) {
        isFirst = false;
        await revokeNow(world, 'KVA', 'superseded');
        await publishAtOnce(world.deps, world.run);
      }
      return world.deps.signer.sign(...args);
    },
  };
  await publishAtOnce({ ...world.deps, signer }, world.run);
  assert.equal(Object.keys(await listedReasons(world)).length, 2);
});

test('48 a slow run never serves a list that lacks what a later one has', async () => {
  const world = await startedWorld();
  await world.tick();
  await revokeNow(world, 'KMS', 'superseded');
  const signer = {
    sign: async (...args: Parameters<typeof world.deps.signer.sign>) => {
      // Its lease has ended long ago, and another run has come and gone.
      await revokeNow(world, 'KVA', 'superseded');
      world.clock.advance(HOUR_MS);
      await publish(world);
      return world.deps.signer.sign(...args);
    },
  };
  await assert.rejects(publishAtOnce({ ...world.deps, signer }, world.run), { code: 'Conflict' });
  assert.equal(Object.keys(await listedReasons(world)).length, 2);
});

test('48 a slow run that looked before a revocation takes nothing off that a later one has listed', async () => {
  const world = await startedWorld();
  const leases = { acquire: async () => ({ release: async () => undefined }) };
  const deps = { ...world.deps, leases };
  const rule = await createRevocationRule(
    deps,
    world.run,
    { ...NOTHING, cluster: 'management' },
    'superseded',
  );
  await publish(world);
  await deleteRevocationRule(deps, world.run, rule.id);
  let isRevoked = false;
  const slow = interceptPorts(deps, async ({ method, args }, proceed) => {
    if (!isRevoked && method === 'changeListed' && JSON.stringify(args).includes('"KMS"')) {
      isRevoked = true;
      await revokeNow(world, 'KMS', 'superseded');
      await publish(world, deps);
    }
    return proceed();
  });
  await publish(world, slow);
  assert.deepEqual(Object.keys(await listedReasons(world)), [await serialOf(world, 'KMS')]);
});

test('48 a list names what was in force when it begins, although it is made after that', async () => {
  const world = await startedWorld();
  const { head } = (await identityOf(world, KMS)).certificate;
  assert.ok(head !== null);
  world.clock.advance(head.notAfter.getTime() - world.clock.now().getTime() - MINUTE_MS);
  await revokeNow(world, 'KMS', 'superseded');
  world.clock.advance(2 * MINUTE_MS);
  await publish(world);
  const { thisUpdate } = await servedList(world, await onlyAuthorityId(world));
  assert.ok(thisUpdate < head.notAfter);
  assert.deepEqual(Object.keys(await listedReasons(world)), [head.serialNumber]);
});

test('48 an entry stays to the end of its certificate and on one list more', async () => {
  const world = await startedWorld();
  await revokeNow(world, 'KMS', 'superseded');
  const { head } = (await identityOf(world, KMS)).certificate;
  assert.ok(head !== null);
  await publish(world);
  world.clock.advance(head.notAfter.getTime() - world.clock.now().getTime());
  await publish(world);
  assert.deepEqual(Object.keys(await listedReasons(world)), [head.serialNumber]);
  world.clock.advance(2 * DAY_MS);
  assert.equal(await publish(world), 1);
  assert.deepEqual(Object.keys(await listedReasons(world)), [head.serialNumber], 'the one list more');
  world.clock.advance(2 * DAY_MS);
  assert.equal(await publish(world), 1);
  assert.deepEqual(await listedReasons(world), {});
  assert.deepEqual(await world.deps.crl.listed(KMS), []);
});

test('48 what a rule revokes comes off the list with the rule, unless it is revoked otherwise too', async () => {
  const world = await startedWorld();
  const { deps, run } = world;
  const [kms, kva] = [await serialOf(world, 'KMS'), await serialOf(world, 'KVA')];
  const rule = await createRevocationRule(
    deps,
    run,
    { ...NOTHING, clientType: 'ExternalClient' },
    'affiliationChanged',
  );
  await world.tick();
  assert.equal((await listedReasons(world))[kms], 'affiliationChanged');
  world.clock.advance(HOUR_MS);
  await revokeNow(world, 'KVA', 'superseded');
  await world.tick();
  await deleteRevocationRule(deps, run, rule.id);
  await world.tick();
  // It was said already why, and that stays.
  assert.deepEqual(await listedReasons(world), { [kva]: 'affiliationChanged' });
});

test('48 a DNS name that a rule is about puts its identity on the list at once', async () => {
  const world = await startedWorld();
  const { deps, run } = world;
  const { answer } = await nodeWithCertificate(world);
  await createRevocationRule(deps, run, { ...NOTHING, dnsName: '.bad.test' }, 'superseded');
  await world.tick();
  assert.deepEqual(await listedReasons(world), {});
  await changeIdentity(deps, run, NODE_AGENT, { dnsNames: ['x.bad.test'] }, 'any');
  await world.tick();
  assert.deepEqual(await listedReasons(world), { [answer.serialNumber]: 'superseded' });
});

test('48 what an identity had in an earlier life stays listed when it is made again', async () => {
  const world = await startedWorld();
  const { deps, run } = world;
  const { answer } = await nodeWithCertificate(world);
  await deleteIdentity(deps, run, NODE_AGENT);
  const template = MANAGEMENT_CLIENTS.find(({ name }) => name === NODE_AGENT.name);
  assert.ok(template !== undefined);
  world.clock.advance(HOUR_MS);
  const { loginFile } = await addIdentity(deps, run, MANAGEMENT_CLUSTER, template, {});
  await logIn(world, loginFile?.token.reveal() ?? '', requestOf(NODE_AGENT, 'a new key'));
  await world.tick();
  const [entry, ...others] = [...(await servedList(world, await onlyAuthorityId(world))).entries()];
  assert.deepEqual(others, []);
  assert.equal(entry?.serialNumber, answer.serialNumber);
  assert.equal(entry?.revokedAt.getTime(), world.clock.now().getTime() - HOUR_MS);
});

test('48 reconcile finds what was revoked before there were lists', async () => {
  const world = await startedWorld();
  await revokeNow(world, 'KMS', 'superseded');
  await world.deps.crl.removeNotes(await world.deps.crl.notes(100));
  await world.tick();
  assert.deepEqual(await listedReasons(world), {});
  assert.deepEqual((await reconcile(world.deps, world.run))?.found, { 'revocation-unlisted': 1 });
  await world.tick();
  assert.deepEqual(await listedReasons(world), { [await serialOf(world, 'KMS')]: 'superseded' });
  assert.deepEqual((await reconcile(world.deps, world.run))?.found, {});
});

test('48 a list is replaced while two thirds of its life are left; plan and status tell of one that is not', async () => {
  const world = await startedWorld();
  await world.tick();
  const id = await onlyAuthorityId(world);
  const first = await servedList(world, id);
  assert.equal(first.nextUpdate.getTime(), world.clock.now().getTime() + 72 * HOUR_MS);
  const ask = { cluster: null, limit: 100 };
  const planned = async () =>
    (await getPlan(world.deps, { ...ask, at: null, offset: 0 })).entries.find(({ kind }) => kind === 'crl');
  const isCritical = async () => {
    const { reasons } = await getStatus(world.deps, { ...ask, state: null, cursor: null });
    return reasons.some(({ code }) => code === 'CrlOverdue');
  };
  world.clock.advance(23 * HOUR_MS);
  assert.equal(await publish(world), 0);
  assert.equal((await planned())?.action, 'none');
  world.clock.advance(HOUR_MS);
  assert.equal((await planned())?.action, 'publish');
  const deaf = refuseCalls(world.deps, ({ port }) => port === 'signer');
  await assert.rejects(publish(world, deaf));
  assert.equal(await isCritical(), false);
  world.clock.advance(DAY_MS + HOUR_MS);
  assert.equal(await isCritical(), true);
  assert.equal(await publish(world), 1);
  assert.equal(await isCritical(), false);
  const info = (await readCrlInfo(world.deps)).get(id);
  const next = await servedList(world, id);
  assert.equal(info?.number, String(next.number));
  assert.ok(next.number > first.number);
  assert.deepEqual((await world.deps.crlFiles.numbers(id)).map(BigInt), [first.number, next.number]);
});

test('48 a revocation that cannot be looked up keeps no list from being replaced, and is not forgotten', async () => {
  const world = await startedWorld();
  await world.tick();
  const id = await onlyAuthorityId(world);
  const { number } = await servedList(world, id);
  await revokeNow(world, 'KMS', 'superseded');
  world.clock.advance(DAY_MS);
  const blind = refuseCalls(world.deps, ({ method }) => method === 'certificates');
  await assert.rejects(publish(world, blind), { code: 'StorageUnavailable' });
  assert.ok((await servedList(world, id)).number > number);
  assert.deepEqual(await listedReasons(world), {});
  await publish(world);
  assert.deepEqual(await listedReasons(world), { [await serialOf(world, 'KMS')]: 'superseded' });
});

test('48 the last list of an authority outlives it, and is served when it has ended', async () => {
  const world = await startedWorld();
  const id = await onlyAuthorityId(world);
  const authority = (await world.deps.fleet.authority(id))?.value;
  assert.ok(authority !== undefined);
  await revokeNow(world, 'KMS', 'keyCompromise');
  world.clock.advance(authority.notAfter.getTime() - world.clock.now().getTime() - 100 * HOUR_MS);
  await publish(world);
  assert.ok((await servedList(world, id)).nextUpdate > authority.notAfter);
  world.clock.advance(100 * HOUR_MS + SECOND_MS);
  assert.equal(canPublishCrl(authority, world.clock.now()), false);
  assert.equal(await publish(world), 0);
  assert.ok((await servedList(world, id)).nextUpdate > world.clock.now());
});

test('48 a successor has its list when it is published; one that is given up or compromised stands on its issuer’s', async () => {
  const world = await startedWorld();
  const { deps, run } = world;
  const first = await onlyAuthorityId(world);
  const begin = async () => {
    const id = newAuthorityId(deps);
    await prepareAuthority(deps, run, id, await readActiveAuthority(deps));
    await publishAuthority(deps, run, id);
    await world.tick();
    return id;
  };
  const crossOf = async (id: string) =>
    (await deps.fleet.authority(id))?.value.crossCertificates[0]?.serialNumber ?? '';
  const given = await begin();
  assert.equal([...(await servedList(world, given)).entries()].length, 0);
  await cancelAuthority(deps, run, given, 'not wanted');
  await world.tick();
  assert.deepEqual(await reasonsOf(world, first), { [await crossOf(given)]: 'cessationOfOperation' });

  const bad = await begin();
  await activateAuthority(deps, run, bad);
  await taintAuthority(deps, run, bad, { reason: 'stolen', requestedBy: 'anna', operationId: null });
  await revokeAuthority(deps, run, bad);
  await world.tick();
  assert.equal((await reasonsOf(world, first))[await crossOf(bad)], 'cACompromise');
});

async function reasonsOf(world: World, id: string) {
  const entries = [...(await servedList(world, id)).entries()];
  return Object.fromEntries(entries.map(({ serialNumber, reason }) => [serialNumber, reason]));
}
