import { fromHex } from '../domain/encoding.ts';
import { EverleafError } from '../domain/errors.ts';
import type { Identity } from '../domain/identity.ts';
import { wholeSecond } from '../domain/instants.ts';
import type { IdentityId } from '../domain/names.ts';
import { usesLeft } from '../domain/token.ts';
import type { Change } from '../ports/identity-store.ts';
import type { Deps } from './deps.ts';
import { judgeLogin } from './find-revocation.ts';
import { type IdentityUpdate, readIdentity } from './update-identity.ts';

/** What a login does to its token: `counted` where a certificate is issued, `read` where the current one is told. */
export type TokenUseKind = 'counted' | 'read';

/**
 * What a successful login changes: the identity was seen, the token was used once more, and the first use of a token
 * erases its nonce and ends every earlier token (RFC 9700, 4.14.2). Reads afresh and judges the token once more, because
 * a newer token may have been used, this one be used up, or the identity be revoked, since the caller looked.
 * @param also what else changes in the identity's record, and the rows that change with that
 * @throws EverleafError Expired or Revoked; what `also` throws
 */
export async function tokenUse(
  deps: Pick<Deps, 'identities' | 'clock' | 'revocationRules'>,
  id: IdentityId,
  tokenId: string,
  kind: TokenUseKind,
  also: (identity: Identity) => IdentityUpdate = (identity) => ({ identity, changes: [] }),
): Promise<{ identity: Identity; changes: Change[] }> {
  const [identity, token] = await Promise.all([
    deps.identities.identity(id),
    deps.identities.token(fromHex(tokenId)),
  ]);
  if (identity === null || token === null) {
    await readIdentity(deps, id);
    throw new EverleafError('InvalidToken', 'The token is not valid.');
  }
  const now = wholeSecond(deps.clock.now());
  const verdict = await judgeLogin(deps, token.value, identity.value);
  if (!verdict.valid) {
    throw new EverleafError(verdict.code, 'The token ended while it was being used.', {
      details: { reason: verdict.reason },
    });
  }
  const { generation } = token.value;
  const usedGeneration = Math.max(identity.value.token.usedGeneration, generation);
  const uses = token.value.uses + (kind === 'counted' ? 1 : 0);
  const isNewest = generation === identity.value.token.generation;
  const left = isNewest ? usesLeft({ ...token.value, uses }) : identity.value.token.usesLeft;
  const { identity: value, changes: others } = also({
    ...identity.value,
    lastSeenAt: now,
    token: { ...identity.value.token, usedGeneration, usesLeft: left },
  });
  const changes: Change[] = [{ op: 'replace', kind: 'identity', value, etag: identity.etag }, ...others];
  if (token.value.firstUsedAt === null || uses !== token.value.uses) {
    const firstUsedAt = token.value.firstUsedAt ?? now;
    const used = { ...token.value, firstUsedAt, nonce: null, uses };
    changes.push({ op: 'replace', kind: 'token', value: used, etag: token.etag });
  }
  return { identity: value, changes };
}
