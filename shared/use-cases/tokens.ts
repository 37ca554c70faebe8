import { fromBase64Url, fromHex, toHex } from '../domain/encoding.ts';
import { EverleafError } from '../domain/errors.ts';
import type { Identity, TokenState } from '../domain/identity.ts';
import { type IdentityId, identityText, VAULT_ROTATION_KEY_NAME } from '../domain/names.ts';
import { renewalWindow } from '../domain/policy.ts';
import { Secret } from '../domain/secret.ts';
import {
  encodeToken,
  TOKEN_ID_BYTES,
  TOKEN_SECRET_BYTES,
  type TokenRecord,
  tokenDates,
  tokenDerivationInput,
  usesLeft,
} from '../domain/token.ts';
import type { Deps } from './deps.ts';

const NONCE_BYTES = 16;
const ROTATION_KEY_BYTES = 32;

/**
 * Reads the rotation key in the version that this deployment is pinned to.
 * @throws EverleafError NotReady before the first start; VaultRefused when the vault no longer has that version
 */
export async function readRotationKey(
  deps: Pick<Deps, 'fleet' | 'authoritySecrets'>,
): Promise<Secret<Uint8Array>> {
  const version = (await deps.fleet.deployment())?.value.rotationKeyVersion ?? null;
  if (version === null) {
    throw new EverleafError('NotReady', 'The first start has not made the rotation key yet.', {
      retryable: true,
    });
  }
  const stored = await deps.authoritySecrets.read(VAULT_ROTATION_KEY_NAME, version);
  const key = stored === null ? null : fromBase64Url(stored.value.reveal());
  if (key === null || key.length !== ROTATION_KEY_BYTES) {
    throw new EverleafError(
      'VaultRefused',
      `The secret "${VAULT_ROTATION_KEY_NAME}" of the authority vault has no usable version ${version}. Tokens cannot ` +
        'be made without it: restore or re-enable that version.',
    );
  }
  return new Secret(key);
}

/** Makes the record of an identity's next token. Nothing is stored here; the secret follows from the record. */
export function mintToken(
  deps: Pick<Deps, 'clock' | 'random' | 'digest' | 'identities'>,
  rotationKey: Secret<Uint8Array>,
  identity: IdentityId,
  generation: number,
  { tokenExpiryInSeconds, tokenMaxUses: maxUses }: Pick<Identity, 'tokenExpiryInSeconds' | 'tokenMaxUses'>,
): TokenRecord {
  const id = deps.random.bytes(TOKEN_ID_BYTES);
  id[0] = deps.identities.tokenShard(identity.cluster);
  const nonce = toHex(deps.random.bytes(NONCE_BYTES));
  const { issuedAt, expiresAt } = tokenDates(deps.clock.now(), tokenExpiryInSeconds, toHex(id));
  return {
    v: 1,
    id: toHex(id),
    identity: { cluster: identity.cluster, name: identity.name },
    generation,
    secretHash: toHex(
      deps.digest.sha256(tokenSecret(deps, rotationKey, identity, generation, nonce).reveal()),
    ),
    nonce,
    issuedAt,
    expiresAt,
    firstUsedAt: null,
    maxUses,
    uses: 0,
  };
}

/**
 * The text of a token that was never used, or null once its nonce is gone.
 * @throws EverleafError VaultRefused when the rotation key is not the one that the token was made with
 */
export function tokenText(
  deps: Pick<Deps, 'digest'>,
  rotationKey: Secret<Uint8Array>,
  token: TokenRecord,
): Secret<string> | null {
  if (token.nonce === null) return null;
  const secret = tokenSecret(deps, rotationKey, token.identity, token.generation, token.nonce);
  if (!deps.digest.equal(deps.digest.sha256(secret.reveal()), fromHex(token.secretHash))) {
    throw new EverleafError(
      'VaultRefused',
      `The rotation key does not yield the token of ${identityText(token.identity)}: it is not the key that the token ` +
        'was made with.',
    );
  }
  return encodeToken({ id: fromHex(token.id), secret });
}

/** What an identity's record says of its newest token. */
export function tokenFacts(
  token: TokenRecord,
): Pick<TokenState, 'id' | 'generation' | 'issuedAt' | 'expiresAt' | 'rotateAfter' | 'usesLeft'> {
  const { id, generation, issuedAt, expiresAt } = token;
  const { renewAfter: rotateAfter } = renewalWindow(issuedAt, expiresAt, id);
  return { id, generation, issuedAt, expiresAt, rotateAfter, usesLeft: usesLeft(token) };
}

function tokenSecret(
  deps: Pick<Deps, 'digest'>,
  rotationKey: Secret<Uint8Array>,
  identity: IdentityId,
  generation: number,
  nonce: string,
): Secret<Uint8Array> {
  const mac = deps.digest.hmacSha256(rotationKey.reveal(), tokenDerivationInput(identity, generation, nonce));
  return new Secret(mac.subarray(0, TOKEN_SECRET_BYTES));
}
