import { type Identity, isTokenFresh, tokenEnd } from '../domain/identity.ts';
import { addMs, earlier, SECOND_MS, toInstant, wholeSecond } from '../domain/instants.ts';
import { isRuledOut } from '../domain/ruled-identity.ts';
import type { Secret } from '../domain/secret.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { mintToken, tokenFacts } from './tokens.ts';
import type { IdentityUpdate } from './update-identity.ts';

/** Whether a rule revokes an identity's newest token, as it may while newer ones are none of the rule's. */
export async function isTokenRevoked(
  deps: Pick<Deps, 'revocationRules'>,
  identity: Identity,
): Promise<boolean> {
  return isRuledOut(identity, 'token', await deps.revocationRules.all());
}

/** Whether the newest token can be given out again: it is fresh, and logs in whoever gets it. */
export async function canTellAgain(
  deps: Pick<Deps, 'clock' | 'revocationRules'>,
  identity: Identity,
): Promise<boolean> {
  return isTokenFresh(identity.token, deps.clock.now()) && !(await isTokenRevoked(deps, identity));
}

/**
 * The identity with its next token. Earlier tokens work until that one is first used, or to their own ends; with a
 * cut-over they end at once (RFC 9700, 4.14.2), and so does what a client of the vault still finds there.
 */
export function withSuccessor(
  deps: Pick<Deps, 'clock' | 'random' | 'digest' | 'identities'>,
  run: Run,
  rotationKey: Secret<Uint8Array>,
  current: Identity,
  { isCutOver = false }: { readonly isCutOver?: boolean } = {},
): IdentityUpdate {
  const next = mintToken(deps, rotationKey, current, current.token.generation + 1, current);
  const lastSecond = addMs(wholeSecond(deps.clock.now()), -SECOND_MS);
  return {
    identity: {
      ...current,
      token: {
        ...current.token,
        ...tokenFacts(next),
        vaultVersion: null,
        forcedAt: null,
        floorGeneration: isCutOver ? next.generation : current.token.floorGeneration,
        predecessorExpiresAt: isCutOver ? earlier(tokenEnd(current), lastSecond) : tokenEnd(current),
      },
    },
    changes: [
      { op: 'insert', kind: 'token', value: next },
      eventChange(deps, run, isCutOver ? 'token-cut-over' : 'token-rotated', current, {
        details: { generation: next.generation, expiresAt: toInstant(next.expiresAt) },
      }),
    ],
  };
}
