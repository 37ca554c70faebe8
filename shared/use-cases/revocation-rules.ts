import { type Actor, FLEET_CHAIN } from '../domain/audit.ts';
import { toHex } from '../domain/encoding.ts';
import { EverleafError } from '../domain/errors.ts';
import { toInstant, wholeSecond } from '../domain/instants.ts';
import {
  checkCriteria,
  type RevocationCriteria,
  type RevocationReason,
  type RevocationRule,
} from '../domain/revocation.ts';
import type { EventChange } from '../ports/identity-store.ts';
import { announceLists } from './announce-lists.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';

/** Every login reads all rules: more than these would be a list, and lists of certificates are revoked one by one. */
const MOST_RULES = 200;

type RuleDeps = Pick<Deps, 'revocationRules' | 'clock' | 'random' | 'queue'>;

/**
 * Revokes by what credentials have in common, at once and for as long as the rule stands.
 * @throws EverleafError InvalidInput for criteria that make no sense; AlreadyExists when there are too many rules
 */
export async function createRevocationRule(
  deps: RuleDeps,
  run: Run,
  criteria: RevocationCriteria,
  reason: RevocationReason,
): Promise<RevocationRule> {
  const checked = checkCriteria(criteria);
  if ((await deps.revocationRules.all()).length >= MOST_RULES) {
    throw new EverleafError(
      'AlreadyExists',
      `There are ${MOST_RULES} revocation rules, and there can be no more. Delete those that nothing needs any more.`,
    );
  }
  const rule: RevocationRule = {
    v: 1,
    id: toHex(deps.random.bytes(16)),
    ...checked,
    reason,
    createdAt: wholeSecond(deps.clock.now()),
    createdBy: nameOf(run.actor),
  };
  await deps.revocationRules.insert(rule, ruleEvent(deps, run, 'revocation-rule-created', rule));
  await announceLists(deps, run);
  run.log.write('warn', `Revocation rule ${rule.id} stands: what matches it is revoked from now on.`);
  return rule;
}

/**
 * Takes a rule back: what it alone revoked works again, within its dates, and comes off the revocation lists. X.509 knows a
 * way back for certificates on hold alone (RFC 5280, 5.3.1); a rule that stands is a hold, told with the reason that its
 * operator gave. Leaving what works again on the lists would have verifiers and Everleaf say different things for months.
 * @throws EverleafError NotFound
 */
export async function deleteRevocationRule(deps: RuleDeps, run: Run, id: string): Promise<void> {
  const rule = (await deps.revocationRules.all()).find((one) => one.id === id);
  if (rule === undefined) throw new EverleafError('NotFound', 'There is no such revocation rule.');
  await deps.revocationRules.remove(rule, ruleEvent(deps, run, 'revocation-rule-deleted', rule));
  await announceLists(deps, run);
}

function ruleEvent(
  deps: Pick<Deps, 'clock' | 'random'>,
  run: Run,
  type: 'revocation-rule-created' | 'revocation-rule-deleted',
  { id, clientType, cluster, dnsName, issuedBefore, reason }: RevocationRule,
): EventChange {
  return eventChange(
    deps,
    run,
    type,
    { cluster: FLEET_CHAIN, name: id },
    {
      reason,
      details: {
        ...(clientType === null ? {} : { clientType }),
        ...(cluster === null ? {} : { cluster }),
        ...(dnsName === null ? {} : { dnsName }),
        ...(issuedBefore === null ? {} : { issuedBefore: toInstant(issuedBefore) }),
      },
    },
  );
}

function nameOf({ kind, id }: Actor): string {
  return id ?? kind;
}
