import { type Authority, activateSuccessorBy, canIssue } from '../domain/authority.ts';
import { missingText } from '../domain/authority-census.ts';
import { isStepDue, planRoll, type RollStep } from '../domain/authority-plan.ts';
import { toInstant, wholeSecond } from '../domain/instants.ts';
import { bundleRecord, readAuthorities } from './authorities.ts';
import {
  activateAuthority,
  cancelAuthority,
  publishAuthority,
  retireAuthority,
  revokeAuthority,
} from './authority-steps.ts';
import { countAcknowledgements } from './count-acknowledgements.ts';
import { deliverBundle, undelivered } from './deliver-bundle.ts';
import type { Deps, Run } from './deps.ts';
import { disableEndedKeys } from './disable-ended-keys.ts';
import { Failures } from './failures.ts';
import { prepareSuccessor, vouchForNext } from './prepare-successor.ts';
import { renewResponders } from './renew-responders.ts';
import { readRollFacts } from './roll-facts.ts';
import { withLease } from './with-lease.ts';

/** As long as a function may run (`functionTimeout` in host.json). */
const LEASE_SECONDS = 600;

/** Steps that one run takes at most: a whole life of an authority has five. */
const MOST_STEPS = 10;

export interface RollOutcome {
  /** What was done, in the order in which it was. */
  readonly steps: readonly Pick<RollStep, 'action' | 'authorityId'>[];
}

/**
 * Keeps an authority at work, for ever: prepares the next one, publishes it, has it sign when everybody knows it or the
 * deadline has come, and ends those that are needed no more. The plan is the pure `planRoll`; this takes its first step
 * that is due, and asks it again. A step that fails does not keep the others from being taken.
 *
 * After every change of the trust bundle it is delivered to every client vault. Safe to interrupt anywhere and to run
 * twice at once: every step looks at what is there.
 * @returns null when another run is at it
 * @throws EverleafError the first failure, after everything else had its turn; the next run goes on
 */
export function rollAuthority(deps: Deps, run: Run): Promise<RollOutcome | null> {
  const lease = { name: 'roll-authority', seconds: LEASE_SECONDS, busy: 'Another run rolls the authority' };
  return withLease(deps, run, lease, () => roll(deps, run));
}

async function roll(deps: Deps, run: Run): Promise<RollOutcome> {
  const failures = new Failures(run);
  await ensureBundleRecord(deps);
  await failures.attempt('count the acknowledgements', () => countIfNeeded(deps));
  const taken: RollStep[] = [];
  const failed = new Set<string>();
  while (taken.length + failed.size < MOST_STEPS) {
    const now = deps.clock.now();
    const facts = await readRollFacts(deps);
    const due = planRoll(facts).find((step) => isStepDue(step, now) && !failed.has(keyOf(step)));
    if (due === undefined) break;
    const isTaken = await failures.attempt(textOf(due), async () => {
      await takeStep(deps, run, due, facts.authorities);
      return true;
    });
    if (isTaken) taken.push(due);
    else failed.add(keyOf(due));
  }
  if ((await readAuthorities(deps)).bundle.pem !== '') {
    await failures.attempt('deliver the trust bundle', () => deliverBundle(deps, run));
  }
  if (taken.some(({ action }) => action === 'publish')) {
    await failures.attempt('renew the OCSP responders', () => renewResponders(deps, run));
  }
  await failures.attempt('take the keys of ended authorities out of use', () => disableEndedKeys(deps, run));
  failures.throwFirst();
  return { steps: taken.map(({ action, authorityId }) => ({ action, authorityId })) };
}

/**
 * Whether the roll cannot wait for its own timer, as far as three reads tell: `now` while nobody can issue anything, `soon`
 * when a successor should sign by now or a vault lacks the present bundle.
 */
export async function needForRoll(
  deps: Pick<Deps, 'fleet' | 'clock' | 'policy'>,
): Promise<'now' | 'soon' | 'no'> {
  const now = deps.clock.now();
  const [{ all, active, bundle }, deployment, clusters] = await Promise.all([
    readAuthorities(deps),
    deps.fleet.deployment(),
    deps.fleet.clusters(),
  ]);
  if (all.length === 0) return 'no';
  if (active === null || !canIssue(active, now)) return 'now';
  if (activateSuccessorBy(active, deps.policy.certificateValidityDays) <= now) return 'soon';
  const delivered = deployment?.value.deliveredBundleId ?? null;
  return undelivered(delivered, clusters, bundle.id).length > 0 ? 'soon' : 'no';
}

/** An agent may name a bundle that was made by a program that kept none. */
async function ensureBundleRecord(deps: Deps): Promise<void> {
  const { all, bundle } = await readAuthorities(deps);
  if (bundle.pem === '' || (await deps.fleet.bundles()).some(({ id }) => id === bundle.id)) return;
  const value = bundleRecord(all, wholeSecond(deps.clock.now()));
  await deps.fleet.commit([{ op: 'put', kind: 'bundle', value }]);
}

async function countIfNeeded(deps: Deps): Promise<void> {
  const isNeeded = ({ state }: Authority) => state === 'Published' || state === 'Tainted';
  if ((await deps.fleet.authorities()).some(isNeeded)) await countAcknowledgements(deps);
}

async function takeStep(deps: Deps, run: Run, step: RollStep, known: readonly Authority[]): Promise<void> {
  const id = step.authorityId ?? '';
  run.log.write('info', `Roll: ${textOf(step)}.`, { reason: step.reason, becauseOf: step.becauseOf });
  switch (step.action) {
    case 'prepare':
      await prepareSuccessor(deps, run, known.find(({ state }) => state === 'Active')?.id ?? null);
      return;
    case 'publish':
      await publishAuthority(deps, run, id);
      // Nobody can know it yet, and where there is nobody that must, it signs at once.
      await countAcknowledgements(deps);
      return;
    case 'activate':
      await vouchForNext(deps, run, id);
      await activateAuthority(deps, run, id, await acknowledgementDetails(deps, id));
      return;
    case 'retire':
      await retireAuthority(deps, run, id);
      return;
    case 'revoke':
      await revokeAuthority(deps, run, id);
      return;
    case 'cancel':
      await cancelAuthority(deps, run, id, 'it was not put to use in time');
  }
}

/** Names that an event tells of; how many there are it tells as well. */
const NAMED = 20;

/** What the event of an activation tells of those that have not acknowledged the authority. */
export async function acknowledgementDetails(deps: Pick<Deps, 'fleet'>, id: string) {
  const census = (await deps.fleet.censuses()).find(({ authorityId }) => authorityId === id);
  if (census === undefined) return { isForced: true };
  const { verifiers, agents, asOf } = census;
  const missing = [...verifiers.missing, ...agents.missing];
  return {
    isForced: missingText('', verifiers) !== null || missingText('', agents) !== null,
    verifiers: verifiers.total,
    verifiersMissing: verifiers.total - verifiers.acknowledged,
    agents: agents.total,
    agentsMissing: agents.total - agents.acknowledged,
    missing: missing
      .slice(0, NAMED)
      .map(({ cluster, name }) => `${cluster}/${name}`)
      .join(' '),
    countedAt: toInstant(asOf),
  };
}

function keyOf({ action, authorityId }: RollStep): string {
  return `${action} ${authorityId}`;
}

function textOf({ action, authorityId }: RollStep): string {
  return authorityId === null ? `${action} the next authority` : `${action} authority ${authorityId}`;
}
