import type { SecretVault } from '../ports/secret-vault.ts';
import type { Deps } from './deps.ts';

/**
 * The same world, with what was read of the authority vault's secrets kept for one run: a run that makes tokens for a
 * whole cluster reads the rotation key once, and not once for each.
 */
export function withRememberedSecrets(deps: Deps): Deps {
  const known = new Map<string, ReturnType<SecretVault['read']>>();
  const read: SecretVault['read'] = (name, version) => {
    const key = `${name}/${version ?? ''}`;
    const found = known.get(key) ?? deps.authoritySecrets.read(name, version);
    known.set(key, found);
    return found;
  };
  const write: SecretVault['write'] = (...args) => deps.authoritySecrets.write(...args);
  return { ...deps, authoritySecrets: { read, write } };
}
