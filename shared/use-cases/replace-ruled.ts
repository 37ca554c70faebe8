import type { Identity } from '../domain/identity.ts';
import { addMs, HOUR_MS, later, wholeSecond } from '../domain/instants.ts';
import type { RevocationRule } from '../domain/revocation.ts';
import { kindsToReplace } from '../domain/ruled-identity.ts';
import type { Deps } from './deps.ts';
import { pagesOf } from './pages.ts';
import { inPool } from './pool.ts';
import { type IdentityUpdate, updateIdentity, wantNext } from './update-identity.ts';

/**
 * How far before the timer's last success a rule still counts as new: a run that was under way when the rule was made has
 * not seen it, and a renewal that was may have put a certificate in force that the rule revokes.
 */
const MARGIN_MS = HOUR_MS;

/**
 * Makes everything due that a rule revokes and that Everleaf itself can replace: the credentials in the vault that were
 * issued before the rule's moment. Walks the fleet only when such a rule has come to bear since the timer's last success,
 * so a fleet without new rules costs one read. What is due already stays as it is, so any run may be repeated.
 */
export async function replaceRuled(deps: Deps): Promise<void> {
  const rules = await deps.revocationRules.all();
  if (rules.length === 0) return;
  const lastSuccessAt = (await deps.fleet.timerRun('renew-due'))?.lastSuccessAt ?? null;
  const since = lastSuccessAt === null ? null : addMs(lastSuccessAt, -MARGIN_MS);
  if (!rules.some((rule) => isNew(rule, since, deps.clock.now()))) return;
  for await (const items of pagesOf((page) => deps.identities.identities(page))) {
    const found = items.filter((one) => kindsToReplace(one, rules, deps.clock.now()).length > 0);
    await inPool(found, (one) => updateIdentity(deps, one, (current) => madeDue(deps, current, rules)));
  }
}

/** Whether the moment of a rule has passed, and the rule has come to bear since another moment. */
function isNew({ issuedBefore, createdAt }: RevocationRule, since: Date | null, now: Date): boolean {
  if (issuedBefore === null || issuedBefore > now) return false;
  return since === null || later(issuedBefore, createdAt) > since;
}

function madeDue(
  deps: Pick<Deps, 'clock'>,
  current: Identity,
  rules: readonly RevocationRule[],
): IdentityUpdate | null {
  const now = wholeSecond(deps.clock.now());
  const kinds = kindsToReplace(current, rules, now);
  if (kinds.length === 0) return null;
  return kinds.reduce<IdentityUpdate>(
    ({ identity, changes }, kind) => {
      const wanted = wantNext(identity, kind, now);
      return { identity: wanted.identity, changes: [...changes, ...wanted.changes] };
    },
    { identity: current, changes: [] },
  );
}
