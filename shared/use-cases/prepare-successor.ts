import { type Authority, type FinishedAuthority, isFinished, isSuccessor } from '../domain/authority.ts';
import { pinDeployment } from './deployment.ts';
import type { Deps, Run } from './deps.ts';
import { newAuthorityId, prepareAuthority } from './prepare-authority.ts';

/**
 * Prepares the authority that comes next, or goes on with the one that is being prepared. Its id is written down first, so
 * that of several calls at once the first decides for all: there is never more than one successor.
 * @param expected the authority that signs as the caller knows it, null for none: when another signs by now, there is
 *   nothing to prepare any more; left out, whoever signs is followed
 * @returns null when there is nothing to prepare any more
 * @throws EverleafError as `prepareAuthority`
 */
export async function prepareSuccessor(
  deps: Deps,
  run: Run,
  expected?: string | null,
): Promise<FinishedAuthority | null> {
  const { nextAuthorityId } = await pinDeployment(deps, async (deployment) => {
    // Read after the row that is to be replaced: a successor that came to sign in between has changed that row.
    const all = await deps.fleet.authorities();
    const pinned = all.find(({ id }) => id === deployment.nextAuthorityId);
    const isStanding = deployment.nextAuthorityId !== null && (pinned === undefined || isSuccessor(pinned));
    if (isStanding) return null;
    const active = all.find(({ state }) => state === 'Active')?.id ?? null;
    const isWanted = expected === undefined || expected === active;
    // The first authority of all has its own pin.
    const next = all.find(isSuccessor)?.id ?? (isWanted ? newAuthorityId(deps) : null);
    return next === deployment.nextAuthorityId ? null : { nextAuthorityId: next };
  });
  if (nextAuthorityId === null) return null;
  const signer = crossSigner(await deps.fleet.authorities(), deps.clock.now());
  return prepareAuthority(deps, run, nextAuthorityId, signer);
}

/**
 * Who signs the cross certificate, so that those who know only that one accept the next: the authority that signs, else
 * the tainted one that signed last. One that has ended helps nobody.
 */
export function crossSigner(all: readonly Authority[], now: Date): FinishedAuthority | null {
  const known = all.filter(isFinished).filter(({ notAfter }) => notAfter > now);
  const tainted = known
    .filter(({ state, activatedAt }) => state === 'Tainted' && activatedAt !== null)
    .sort((a, b) => (a.activatedAt?.getTime() ?? 0) - (b.activatedAt?.getTime() ?? 0));
  return known.find(({ state }) => state === 'Active') ?? tainted.at(-1) ?? null;
}
