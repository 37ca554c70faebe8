import { EverleafError } from '../domain/errors.ts';
import { groupBy } from '../domain/group-by.ts';
import type { CertificateRecord, Identity } from '../domain/identity.ts';
import type { Instance } from '../domain/instance.ts';
import { addMs } from '../domain/instants.ts';
import {
  isSameListing,
  type ListedRevocation,
  type ListingNote,
  listRevocation,
  type RevokedPart,
} from '../domain/listed-revocation.ts';
import { identityText } from '../domain/names.ts';
import { BACKDATE_MS } from '../domain/policy.ts';
import type { CertificateRevocation, RevocationRule } from '../domain/revocation.ts';
import type { Deps } from './deps.ts';
import { findRuleOf } from './find-revocation.ts';
import { pagesOf } from './pages.ts';
import { inPool } from './pool.ts';

type ListingDeps = Pick<Deps, 'identities' | 'crl' | 'clock' | 'revocationRules'>;

/** What the lists are to say of one identity. */
export interface ListingPlan {
  /** Authorities whose lists name, or have named, a certificate of it. */
  readonly authorityIds: ReadonlySet<string>;
  readonly put: readonly ListedRevocation[];
  readonly remove: readonly ListedRevocation[];
}

const NOTHING: ListingPlan = { authorityIds: new Set(), put: [], remove: [] };

/**
 * Brings what is listed up to date with everything that was noted: every certificate in force of every identity concerned
 * is judged anew. Safe to interrupt and to repeat; the notes stay.
 * @returns for each note the authorities whose lists it concerns, also where an earlier run has done it all
 */
export async function listNoted(
  deps: ListingDeps,
  notes: readonly ListingNote[],
): Promise<ReadonlyMap<ListingNote, ReadonlySet<string>>> {
  const rules = await deps.revocationRules.all();
  const list = (identity: Identity, parts: readonly RevokedPart[]) =>
    bringUpToDate(deps, identity, parts, rules);
  const concerned = new Map<ListingNote, ReadonlySet<string>>();
  const byIdentity = groupBy(
    notes.flatMap((note) => (note.revoked === null ? [] : [{ note, part: note.revoked }])),
    ({ part }) => identityText(part.identity).toLowerCase(),
  );
  await inPool([...byIdentity.values()], async (said) => {
    const [first] = said;
    const stored = first === undefined ? null : await deps.identities.identity(first.part.identity);
    const parts = said.map(({ part }) => part);
    const authorityIds = stored === null ? NOTHING.authorityIds : await list(stored.value, parts);
    for (const { note } of said) concerned.set(note, authorityIds);
  });
  const ruled = notes.filter((note) => note.ruled !== null);
  if (ruled.length === 0) return concerned;
  const byRules = new Set<string>();
  for await (const page of pagesOf((position) => deps.identities.identities(position))) {
    const matching = page.filter((identity) =>
      ruled.some(({ ruled: part }) => part !== null && mayMatch(part, identity)),
    );
    for (const ids of await inPool(matching, (identity) => list(identity, []))) {
      for (const id of ids) byRules.add(id);
    }
  }
  for (const note of ruled) concerned.set(note, byRules);
  return concerned;
}

/** Brings what is listed of one identity up to date; a note that it has is still to be worked off. */
export async function listIdentity(deps: ListingDeps, identity: Identity): Promise<void> {
  await bringUpToDate(deps, identity, [], await deps.revocationRules.all());
}

/** Looks at one identity at most: what is true of it does not change as fast as that. */
const LOOKS = 5;

/**
 * Changes what is listed of an identity, and looks again at the facts as they stand then, until there is nothing to
 * change: a slow run may have undone what a later one had listed already, whose note is gone.
 * @param rules as they were read just now
 * @returns the authorities whose lists name, or have named, a certificate of it
 */
async function bringUpToDate(
  deps: ListingDeps,
  identity: Identity,
  parts: readonly RevokedPart[],
  rules: readonly RevocationRule[],
): Promise<ReadonlySet<string>> {
  const concerned = new Set<string>();
  let facts = { identity, rules };
  for (let look = 1; look <= LOOKS; look++) {
    const { authorityIds, put, remove } = await planListing(deps, facts.identity, parts, facts.rules);
    for (const id of authorityIds) concerned.add(id);
    if (put.length + remove.length === 0) return concerned;
    await changeListed(deps, identity, { put, remove });
    const stored = await deps.identities.identity(identity);
    if (stored === null) return concerned;
    facts = { identity: stored.value, rules: await deps.revocationRules.all() };
  }
  throw new EverleafError('Conflict', `What is listed of ${identityText(identity)} changes all the time.`, {
    retryable: true,
  });
}

async function changeListed(
  deps: ListingDeps,
  { cluster }: Identity,
  changes: Pick<ListingPlan, 'put' | 'remove'>,
): Promise<void> {
  if (changes.put.length + changes.remove.length > 0) await deps.crl.changeListed(cluster, changes);
}

/** Whether a rule can match anything of an identity, names aside: its certificates may carry some that it has lost. */
function mayMatch(
  { clientType, cluster }: Pick<RevocationRule, 'clientType' | 'cluster'>,
  identity: Identity,
): boolean {
  return (
    (clientType === null || clientType === identity.clientType) &&
    (cluster === null || cluster === identity.cluster)
  );
}

/**
 * What must change in what is listed of an identity. Its certificates are read only where something may revoke one.
 * @param parts what the notes say of it
 */
export async function planListing(
  deps: ListingDeps,
  identity: Identity,
  parts: readonly RevokedPart[],
  rules: readonly RevocationRule[],
): Promise<ListingPlan> {
  const [revocations, lines, listed] = await Promise.all([
    deps.identities.revocations(identity),
    deps.identities.instances(identity),
    deps.crl.listed(identity),
  ]);
  const isTouched =
    identity.revokedAt !== null ||
    identity.incarnation > 1 ||
    revocations.length > 0 ||
    listed.length > 0 ||
    lines.some(({ revokedAt }) => revokedAt !== null) ||
    rules.some((rule) => mayMatch(rule, identity));
  if (!isTouched) return NOTHING;
  // Read last, so that none is missing that was there when what revokes it was written.
  const certificates = await deps.identities.certificates(identity);
  const now = deps.clock.now();
  // A list begins a little before it is made, and must name what was in force then.
  const inForce = certificates.filter(({ notAfter }) => notAfter >= addMs(now, -BACKDATE_MS));
  return compare(inForce, { identity, lines, revocations, rules, parts, listed });
}

interface ListingFacts {
  readonly identity: Identity;
  readonly lines: readonly Instance[];
  readonly revocations: readonly CertificateRevocation[];
  readonly rules: readonly RevocationRule[];
  readonly parts: readonly RevokedPart[];
  readonly listed: readonly ListedRevocation[];
}

function compare(inForce: readonly CertificateRecord[], facts: ListingFacts): ListingPlan {
  const { identity, lines, revocations, rules, parts, listed } = facts;
  const authorityIds = new Set<string>();
  const put: ListedRevocation[] = [];
  const remove: ListedRevocation[] = [];
  for (const certificate of inForce) {
    const before = listed.find(({ serialNumber }) => serialNumber === certificate.serialNumber) ?? null;
    const instance = lines.find(({ id }) => id === certificate.instance) ?? null;
    const matching = rules.filter((rule) => findRuleOf([rule], identity, certificate) !== null);
    const after = listRevocation(
      certificate,
      { identity, instance, revocations, rules: matching, parts },
      before,
    );
    if (after !== null || before !== null) authorityIds.add(certificate.authorityId);
    if (after === null && before !== null) remove.push(before);
    if (after !== null && (before === null || !isSameListing(before, after))) put.push(after);
  }
  // What ended stays for one list more, and then goes with the others of its age.
  return { authorityIds, put, remove };
}
