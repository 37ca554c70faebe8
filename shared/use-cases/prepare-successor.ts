import { type Authority, type FinishedAuthority, isFinished, isSuccessor } from '../domain/authority.ts';
import { ensureCrossCertificate } from './cross-sign.ts';
import { pinDeployment } from './deployment.ts';
import type { Deps, Run } from './deps.ts';
import { newAuthorityId, prepareAuthority } from './prepare-authority.ts';

/**
 * Prepares the authority that comes next, or goes on with the one that is being prepared. Its id is written down first, so
 * that of several calls at once the first decides for all: there is never more than one successor.
 * @param expected the authority that signs as the caller knows it, null for none: when another signs by now, there is
 *   nothing to prepare any more; left out, whoever signs is followed
 * @returns null when there is nothing to prepare any more, and while its request waits for an outside root
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
  return nextAuthorityId === null ? null : prepareCrossSigned(deps, run, nextAuthorityId);
}

/**
 * Prepares the authority of that id, or goes on with it, with the cross certificates by which those accept it that know
 * the present ones.
 * @returns null while its request waits for an outside root
 * @throws EverleafError as `prepareAuthority`
 */
export async function prepareCrossSigned(
  deps: Deps,
  run: Run,
  id: string,
): Promise<FinishedAuthority | null> {
  const [now, all] = [deps.clock.now(), await deps.fleet.authorities()];
  return prepareAuthority(deps, run, id, crossSigner(all, now), retiringSigners(all, now));
}

/**
 * Has the retiring authorities vouch for one that is about to sign in the place of a tainted one, and was prepared before
 * the taint. Whatever fails there does not keep it from signing: nobody else does.
 */
export async function vouchForNext(deps: Deps, run: Run, id: string): Promise<void> {
  const all = await deps.fleet.authorities();
  const next = all.filter(isFinished).find((one) => one.id === id);
  if (next === undefined) return;
  for (const signer of retiringSigners(all, deps.clock.now())) {
    try {
      await ensureCrossCertificate(deps, run, next, signer);
    } catch (error) {
      run.log.write('error', `Authority ${signer.id} could not cross-sign authority ${id}: ${String(error)}`);
    }
  }
}

/**
 * Who signs the cross certificate, so that those who know only that one accept the next: the authority that signs, else
 * the tainted one that signed last. One that has ended helps nobody.
 */
function crossSigner(all: readonly Authority[], now: Date): FinishedAuthority | null {
  const known = all.filter(isFinished).filter(({ notAfter }) => notAfter > now);
  const tainted = known
    .filter(({ state, activatedAt }) => state === 'Tainted' && activatedAt !== null)
    .sort((a, b) => (a.activatedAt?.getTime() ?? 0) - (b.activatedAt?.getTime() ?? 0));
  return known.find(({ state }) => state === 'Active') ?? tainted.at(-1) ?? null;
}

/**
 * Who cross-signs the next authority beside a tainted one. That one is revoked as soon as nobody has a certificate of it
 * any more. Whoever has one of a retiring authority was asked for nothing until then, so it may know these two alone: it
 * accepts the next authority by way of the retiring one. While an authority signs, its own word is enough.
 */
function retiringSigners(all: readonly Authority[], now: Date): readonly FinishedAuthority[] {
  if (all.some(({ state }) => state === 'Active')) return [];
  return all.filter(isFinished).filter(({ state, notAfter }) => state === 'Retiring' && notAfter > now);
}
