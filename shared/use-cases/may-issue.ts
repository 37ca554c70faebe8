import { identityPrincipal } from '../domain/access.ts';
import { isPrivileged } from '../domain/built-in-roles.ts';
import type { Identity } from '../domain/identity.ts';
import { identityScope } from '../domain/scope.ts';
import type { Deps, Run } from './deps.ts';
import { assignmentsTo } from './judge-access.ts';

/** What of an identity says whether more than the route's own action is wanted. */
type Judged = Pick<Identity, 'cluster' | 'name' | 'incarnation' | 'clientType'>;

/**
 * Refuses a caller who would get hold of credentials that are worth more than the identity itself: whoever has those of an
 * Admin, of a Host, or of an identity that roles are assigned to, has its rights as well. Asked inside the decision that
 * writes, of the identity as it is read there, so that nobody else's change slips in between.
 * @param identity the one whose credentials are made, told or set free; nobody is refused what is done without a caller
 * @throws EverleafError AccessDenied without `admin/issue` at the identity
 */
export async function assertMayIssueFor(
  deps: Pick<Deps, 'access'>,
  run: Run,
  identity: Judged,
): Promise<void> {
  if (run.rights === undefined || !(await isMoreThanItself(deps, identity))) return;
  await run.rights.demand('admin/issue', identityScope(identity));
}

/** As `assertMayIssueFor`, for whoever leaves such identities out. */
export async function mayIssueFor(deps: Pick<Deps, 'access'>, run: Run, identity: Judged): Promise<boolean> {
  if (run.rights === undefined || !(await isMoreThanItself(deps, identity))) return true;
  return (await run.rights.may('admin/issue', identityScope(identity))).allowed;
}

/**
 * Refuses a caller who gives an identity DNS names: its certificates would speak for machines that the caller may have
 * nothing to do with. Names may be taken away by whoever may change the identity.
 * @param has the names that the identity has already
 * @throws EverleafError AccessDenied without `admin/issue` at the identity
 */
export async function assertMayName(
  run: Run,
  id: Pick<Identity, 'cluster' | 'name'>,
  wanted: readonly string[],
  has: readonly string[],
): Promise<void> {
  if (run.rights === undefined || wanted.every((name) => has.includes(name))) return;
  await run.rights.demand('admin/issue', identityScope(id));
}

async function isMoreThanItself(deps: Pick<Deps, 'access'>, identity: Judged): Promise<boolean> {
  if (isPrivileged(identity.clientType)) return true;
  return (await assignmentsTo(deps, identityPrincipal(identity))).length > 0;
}
