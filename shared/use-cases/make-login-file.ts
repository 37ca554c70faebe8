import { fromHex, toBase64 } from '../domain/encoding.ts';
import type { ClientType, Identity } from '../domain/identity.ts';
import { loginFileYaml } from '../domain/login-file.ts';
import type { Secret } from '../domain/secret.ts';
import type { TokenRecord } from '../domain/token.ts';
import { readTrustBundle } from './authorities.ts';
import type { Deps } from './deps.ts';
import { readRotationKey, tokenText } from './tokens.ts';

/** A login file, field by field, and as the text that the cloud agent's clients read. */
export interface LoginFile {
  readonly cluster: string;
  readonly name: string;
  readonly token: Secret<string>;
  readonly tokenExpiresAt: Date;
  /** Every trusted authority: PEM, as base64. */
  readonly certificate: string;
  readonly clientType: ClientType;
  readonly cloudFqdn: string;
  readonly cloudPort: number;
  readonly cloudAuthPort: number;
  readonly cloudLocation: string;
  readonly yaml: Secret<string>;
}

type LoginFileDeps = Pick<Deps, 'fleet' | 'authoritySecrets' | 'identities' | 'digest' | 'site'>;

/**
 * The login file of an identity, with its newest token: what an operator gives an agent so that it can log in.
 * @returns the text; null when the token was used already, because then nobody can tell it any more
 */
export async function makeLoginFile(deps: LoginFileDeps, identity: Identity): Promise<Secret<string> | null> {
  return (await readLoginFile(deps, identity))?.yaml ?? null;
}

/** As `makeLoginFile`, field by field. */
export async function readLoginFile(deps: LoginFileDeps, identity: Identity): Promise<LoginFile | null> {
  const rotationKey = await readRotationKey(deps);
  const token = await deps.identities.token(fromHex(identity.token.id));
  const text = token === null ? null : tokenText(deps, rotationKey, token.value);
  return token === null || text === null ? null : loginFileWith(deps, identity, token.value, text);
}

/** The login file of an identity with one of its tokens. */
export async function loginFileWith(
  deps: Pick<Deps, 'fleet' | 'site'>,
  identity: Identity,
  { expiresAt }: Pick<TokenRecord, 'expiresAt'>,
  token: Secret<string>,
): Promise<LoginFile> {
  const { cluster, name, clientType } = identity;
  const { cloudFqdn, cloudPort, cloudAuthPort, cloudLocation } = deps.site;
  const { pem } = await readTrustBundle(deps);
  const site = { cloudFqdn, cloudPort, cloudAuthPort, cloudLocation };
  return {
    cluster,
    name,
    token,
    tokenExpiresAt: expiresAt,
    certificate: toBase64(pem),
    clientType,
    ...site,
    yaml: loginFileYaml({ name, token, bundlePem: pem, clientType, ...site }),
  };
}
