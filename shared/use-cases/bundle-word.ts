import type { Identity } from '../domain/identity.ts';
import type { Instance } from '../domain/instance.ts';
import type { Change } from '../ports/identity-store.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';

/**
 * The identity after one of its agents named the trust bundle that it holds; null when it said nothing. Of one that is
 * delivered to a vault the row keeps the word of the client that reads the vault: a replica speaks for itself alone.
 * @param line the line of whoever spoke; null for the client that reads the vault
 */
export function withBundle(
  identity: Identity,
  line: Pick<Instance, 'id'> | null,
  bundleId: string | null,
): Identity {
  const isReplica = line !== null && identity.delivery === 'vault';
  return bundleId === null || isReplica ? identity : { ...identity, acknowledgedBundleId: bundleId };
}

/** The line after its agent named the trust bundle that it holds; null when it said nothing. */
export function lineWithBundle(line: Instance, bundleId: string | null): Instance {
  return bundleId === null ? line : { ...line, bundleId };
}

/**
 * The event of a bundle that the agent had not named before.
 * @param before the line as it was; null for a new one, and for the vault's own, whose client speaks for the identity
 */
export function bundleEvents(
  deps: Pick<Deps, 'clock' | 'random'>,
  run: Run,
  identity: Identity,
  before: Instance | null,
  bundleId: string | null,
): Change[] {
  const known = before === null ? identity.acknowledgedBundleId : before.bundleId;
  if (bundleId === null || bundleId === known) return [];
  const details = { bundleId, ...(before === null ? {} : { instance: before.id }) };
  return [eventChange(deps, run, 'bundle-acknowledged', identity, { details })];
}
