import { fromHex } from '../domain/encoding.ts';
import type { Identity } from '../domain/identity.ts';
import { loginFileYaml } from '../domain/login-file.ts';
import type { Secret } from '../domain/secret.ts';
import { readTrustBundle } from './authorities.ts';
import type { Deps } from './deps.ts';
import { readRotationKey, tokenText } from './tokens.ts';

/**
 * The login file of an identity, with its newest token: what an operator gives an agent so that it can log in.
 * @returns null when the token was used already, because then nobody can tell it any more
 */
export async function makeLoginFile(
  deps: Pick<Deps, 'fleet' | 'authoritySecrets' | 'identities' | 'digest' | 'site'>,
  identity: Identity,
): Promise<Secret<string> | null> {
  const rotationKey = await readRotationKey(deps);
  const token = await deps.identities.token(fromHex(identity.token.id));
  const text = token === null ? null : tokenText(deps, rotationKey, token.value);
  if (text === null) return null;
  const bundle = await readTrustBundle(deps);
  return loginFileYaml({
    name: identity.name,
    token: text,
    bundlePem: bundle.pem,
    clientType: identity.clientType,
    ...deps.site,
  });
}
