import type { Identity } from '../domain/identity.ts';
import { identityText, isSameIdentity } from '../domain/names.ts';
import type { FindingName } from '../domain/reconciliation.ts';
import type { RevocationRule } from '../domain/revocation.ts';
import { announceLists, noteForIdentity } from './announce-lists.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { planListing } from './list-revocations.ts';

/** All notes of a partition that anybody waits for: the lists take up fewer at once. */
const NOTES = 1_000;

/**
 * Finds what is revoked and will stand on no revocation list: of before there were lists, or recorded by somebody who was
 * killed before he looked at the rules once more. It leaves the note that was missing.
 */
export async function reconcileListing(
  deps: Deps,
  run: Run,
  identity: Identity,
  rules: readonly RevocationRule[],
): Promise<readonly FindingName[]> {
  const { put, remove } = await planListing(deps, identity, [], rules);
  if (put.length + remove.length === 0) return [];
  const notes = await deps.crl.notes(NOTES);
  const isNoted = notes.some(
    ({ revoked, ruled }) =>
      ruled !== null || (revoked !== null && isSameIdentity(revoked.identity, identity)),
  );
  // The lists come to it, or have done so since it was looked at.
  if (isNoted || (await isListed(deps, identity, rules))) return [];
  run.log.write('warn', `Reconcile: revocation-unlisted at ${identityText(identity)}; mended.`);
  await deps.identities.commit(identity.cluster, [
    noteForIdentity(deps, identity),
    eventChange(deps, run, 'reconciled', identity, {
      reason: 'revocation-unlisted',
      details: { certificates: put.length + remove.length },
    }),
  ]);
  await announceLists(deps, run);
  return ['revocation-unlisted'];
}

async function isListed(deps: Deps, identity: Identity, rules: readonly RevocationRule[]): Promise<boolean> {
  const { put, remove } = await planListing(deps, identity, [], rules);
  return put.length + remove.length === 0;
}
