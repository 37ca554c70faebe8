import type { Authority } from '../domain/authority.ts';
import { awaitsLastCrl } from '../domain/crl.ts';
import { isEverleafError } from '../domain/errors.ts';
import { wholeSecond } from '../domain/instants.ts';
import { vaultAuthorityName } from '../domain/names.ts';
import type { Deps, Run } from './deps.ts';
import { publishedOf } from './read-crl.ts';

/**
 * Takes the keys of authorities that have ended out of use in the vault, where nothing is lost by it: what cannot sign
 * cannot be misused. One that has a revocation list to sign keeps its key until the last list is published, unless somebody
 * has taken the key out of use in the vault: then there is nothing to wait for. Written down afterwards, so that each is
 * asked about once; safe to repeat.
 */
export async function disableEndedKeys(deps: Deps, run: Run): Promise<void> {
  const [all, states] = await Promise.all([deps.fleet.authorities(), deps.crl.states()]);
  for (const authority of all.filter(hasEnded)) {
    const name = vaultAuthorityName(authority.id);
    const awaitsList = awaitsLastCrl(authority, publishedOf(states, authority.id), deps.clock.now());
    if (awaitsList && (await deps.authorityVault.enabledVersions(name)).length > 0) continue;
    await deps.authorityVault.discardPending(name);
    for (const version of await deps.authorityVault.enabledVersions(name)) {
      await deps.authorityVault.disable(name, version);
    }
    await noteDisabled(deps, authority.id);
    run.log.write('info', `The key of authority ${authority.id}, which has ended, is out of use.`);
  }
}

function hasEnded({ state, keyDisabledAt }: Authority): boolean {
  return (state === 'Retired' || state === 'Revoked') && keyDisabledAt === null;
}

async function noteDisabled(deps: Deps, id: string): Promise<void> {
  const stored = await deps.fleet.authority(id);
  if (stored === null || !hasEnded(stored.value)) return;
  const keyDisabledAt = wholeSecond(deps.clock.now());
  try {
    await deps.fleet.replaceAuthority({ ...stored.value, keyDisabledAt }, stored.etag);
  } catch (error) {
    // Another run has noted it, or the next one will.
    if (!isEverleafError(error, 'Conflict')) throw error;
  }
}
