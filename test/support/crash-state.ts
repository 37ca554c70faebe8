import type { EventType } from '../../shared/domain/audit.ts';
import type { Identity } from '../../shared/domain/identity.ts';
import { identityText } from '../../shared/domain/names.ts';
import { allIdentities } from './inspect-world.ts';
import type { World } from './memory-world.ts';

/** Events of tries, of which a kill makes more. */
const OF_TRIES: readonly string[] = [
  'renewal-queued',
  'renewal-failed',
  'reconciled',
  'crl-published',
] satisfies EventType[];

/** Events that are written before what they tell of, in another transaction: after a kill they come again. */
const AT_LEAST_ONCE: readonly string[] = [
  'backup-written',
  'cluster-created',
  'cluster-deleted',
  'cluster-deletion-requested',
  'login-file-issued',
  'login-files-issued',
  'update-reminder',
  'authority-certificate-taken',
  'authority-prepared',
  'authority-published',
  'authority-activated',
  'authority-retired',
  'authority-tainted',
  'authority-taint-paused',
  'authority-taint-resumed',
  'authority-revoked',
  'authority-cancelled',
  'responder-renewed',
] satisfies EventType[];

/** What the record, the rules and the log say at the end, without what chance and the moment decide. */
export async function takeState(world: World) {
  const { access, audit, fleet, operations, revocationRules } = world.deps;
  const identities = await allIdentities(world);
  const partitions = Array.from({ length: audit.partitions }, (_, partition) => partition);
  const heads = await Promise.all(partitions.map((partition) => audit.heads(partition)));
  return {
    identities: await Promise.all(identities.map((identity) => describeIdentity(world, identity))),
    clusters: (await fleet.clusters()).map(({ name, state, remindedAt, deliveredBundleId }) => ({
      name,
      state,
      isReminded: remindedAt !== null,
      hasBundle: deliveredBundleId !== null,
    })),
    openOperations: (await operations.open()).length,
    rules: (await revocationRules.all()).map(({ clientType, cluster, dnsName }) => ({
      clientType,
      cluster,
      dnsName,
    })),
    roles: await access.roles(),
    assignments: await access.assignments(),
    chains: heads.flat().map(({ value }) => [value.chain, value.seq, value.checkpointSeq]),
    events: await countEvents(world, partitions),
    enabledKeys: await enabledKeys(world),
  };
}

async function describeIdentity({ deps }: World, identity: Identity) {
  const { token, certificate } = identity;
  const lines = await deps.identities.instances(identity);
  return {
    who: `${identityText(identity)} ${identity.incarnation}`,
    end: [identity.revocationReason, identity.deletedAt !== null],
    settings: [identity.autoRotate, identity.tokenExpiryInSeconds, identity.acknowledgedBundleId !== null],
    lockedInstances: identity.lockedInstances,
    issuances: identity.issuances?.count ?? 0,
    renewCount: certificate.head?.renewCount ?? null,
    tokens: [token.usedGeneration, token.floorGeneration, token.handoverGeneration],
    isForced: [certificate.forcedAt !== null, token.forcedAt !== null],
    revokedCertificates: (await deps.identities.revocations(identity)).map(({ reason }) => reason),
    lines: lines.map((line) => ({
      incarnation: line.incarnation,
      renewCounts: [line.head.renewCount, line.successor?.renewCount ?? null],
      isProven: line.provenAt !== null,
      isLocked: line.lockedAt !== null,
      revokedFor: line.revocationReason,
      recoveriesUsed: line.recoveriesUsed,
      hasBundle: line.bundleId !== null,
    })),
  };
}

/** How many events of each type every chain has, sealed or not. */
async function countEvents({ deps }: World, partitions: readonly number[]): Promise<Record<string, number>> {
  const options = { after: '', before: null, limit: 1000 };
  const pages = await Promise.all(partitions.map((partition) => deps.audit.timeline(partition, options)));
  const counts: Record<string, number> = {};
  for (const { chain, type } of pages.flatMap(({ items }) => items)) {
    if (OF_TRIES.includes(type)) continue;
    const key = `${chain} ${type}`;
    counts[key] = AT_LEAST_ONCE.includes(type) ? 1 : (counts[key] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(counts).sort());
}

async function enabledKeys({ clientVault }: World): Promise<Record<string, number>> {
  const names = clientVault.names();
  const enabled = await Promise.all(names.map((name) => clientVault.enabledVersions(name)));
  return Object.fromEntries(names.map((name, i) => [name, enabled[i]?.length ?? 0]));
}
