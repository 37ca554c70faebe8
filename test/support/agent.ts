import type { Identity } from '../../shared/domain/identity.ts';
import type { IdentityId } from '../../shared/domain/names.ts';
import { vaultTokenName } from '../../shared/domain/names.ts';
import { decodePem } from '../../shared/pki/pem.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { logInWithToken } from '../../shared/use-cases/log-in-with-token.ts';
import type { LoginAnswer } from '../../shared/use-cases/login-answer.ts';
import { makeLoginFile } from '../../shared/use-cases/make-login-file.ts';
import { readIdentity } from '../../shared/use-cases/update-identity.ts';
import { type KeyKind, keyPair } from '../unit/pki/support/keys.ts';
import { pemRequest, requestDer } from '../unit/pki/support/requests.ts';
import { name as distinguishedName, utf8 } from '../unit/pki/support/tlv.ts';
import type { World } from './memory-world.ts';

export const management = (name: string): IdentityId => ({ cluster: 'management', name });
export const KMS = management('KMS');
export const NODE_AGENT = management('NodeAgent');

/** The newest token that an agent finds in its login file. Throws once the token was used. */
export async function tokenFromLoginFile(world: World, id: IdentityId): Promise<string> {
  const yaml = await makeLoginFile(world.deps, await identityOf(world, id));
  const token = /^token: (\S+)$/m.exec(yaml?.reveal() ?? '')?.[1];
  if (token === undefined) throw new Error(`There is no login file for ${id.name}: its token was used.`);
  return token;
}

/** The newest token that a client finds in the vault. */
export function tokenFromVault(world: World, id: IdentityId): string {
  const token = world.clientSecrets.versions(vaultTokenName(id)).at(-1)?.value.reveal();
  if (token === undefined) throw new Error(`The vault holds no token of ${id.name}.`);
  return token;
}

/** A certificate request in PEM, for the same key whenever kind and owner are the same. */
export function requestOf(id: IdentityId, owner: string, kind: KeyKind = 'P-256'): string {
  const subject = distinguishedName(['2.5.4.3', utf8(id.name)]);
  return pemRequest(requestDer({ key: keyPair(kind, owner), subject }));
}

export function logIn(
  world: World,
  token: string,
  csr: string | null,
  deps: Deps = world.deps,
): Promise<LoginAnswer> {
  return logInWithToken(deps, world.run, { token, csr, bundleId: null });
}

export function identityOf(world: World, id: IdentityId): Promise<Identity> {
  return readIdentity(world.deps, id);
}

/** The certificate of an answer, DER. */
export function certificateOf(answer: LoginAnswer): Uint8Array {
  return decodePem(answer.certificate, 'CERTIFICATE');
}
