import { fromHex } from '../domain/encoding.ts';
import { EverleafError } from '../domain/errors.ts';
import type { Identity } from '../domain/identity.ts';
import { type IdentityId, identityText } from '../domain/names.ts';
import type { Secret } from '../domain/secret.ts';
import type { TokenRecord } from '../domain/token.ts';
import type { Deps, Run } from './deps.ts';
import { assertIssuable } from './find-revocation.ts';
import { countIssuance } from './issuance-limit.ts';
import { brief, patient } from './patience.ts';
import { canTellAgain, withSuccessor } from './token-successor.ts';
import { readRotationKey, tokenText } from './tokens.ts';
import { type IdentityUpdate, moveDue, updateIdentity, withCredential } from './update-identity.ts';

/** How often a token may be used in the moment between its making and its telling. */
const TRIES = 3;

export interface SuccessorWishes {
  /** Every earlier token ends now, and not with the first use of the new one: for a token that fell into wrong hands. */
  readonly isCutOver?: boolean;
  /** A new token, although the newest one is unused and not due. */
  readonly isForced?: boolean;
  /**
   * The generation that a forced token replaces. When there is a later one already, the force has had its effect: so an
   * operation that is resumed forces once.
   */
  readonly generation?: number;
  /** An operator is to hand it over in a login file: until its first use the agent goes on with what it has. */
  readonly isHandover?: boolean;
  /** A new one counts against what the identity may ask for in an hour: set where it is the identity that asks. */
  readonly isCounted?: boolean;
  /**
   * Looks at the identity that is about to be changed, and may refuse: whoever was let in before this began may have
   * lost that right since. Asked once per try, and also when the token is the one that was there.
   */
  readonly check?: (current: Identity) => void | Promise<void>;
}

export interface Successor {
  readonly identity: Identity;
  readonly token: TokenRecord;
  readonly text: Secret<string>;
  /** False when it is the one that was there. */
  readonly isNew: boolean;
}

/**
 * The token that an identity goes on with, and its text. While the newest one is unused, not due and revoked by no rule
 * it is that one again, so a lost answer costs nothing; otherwise it is a new one. A vault-delivered identity's new token is due for
 * delivery at once.
 * @throws EverleafError NotFound; Revoked; TooManyRequests; what `check` throws
 */
export async function ensureSuccessor(
  deps: Deps,
  run: Run,
  id: IdentityId,
  wishes: SuccessorWishes = {},
): Promise<Successor> {
  const rotationKey = await readRotationKey(deps);
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    let isNew = false;
    // Whoever has the token that a cut-over ends must not be able to hold that up.
    const patience = wishes.isCutOver === true ? patient(deps) : brief();
    const decide = async (current: Identity) => {
      await wishes.check?.(current);
      await assertIssuable(deps, current);
      isNew = isNewWanted(current, wishes) || !(await canTellAgain(deps, current));
      const counted = isNew && wishes.isCounted === true ? countIssuance(deps, current) : current;
      const update = isNew ? newlyDue(deps, run, rotationKey, counted, wishes.isCutOver ?? false) : null;
      return withHandover(current, update, wishes.isHandover ?? false);
    };
    const identity = await updateIdentity(deps, id, decide, patience);
    const token = await deps.identities.token(fromHex(identity.token.id));
    const text = token === null ? null : tokenText(deps, rotationKey, token.value);
    if (token !== null && text !== null) return { identity, token: token.value, text, isNew };
  }
  throw new EverleafError('Conflict', `Every new token of ${identityText(id)} was used before it was told.`, {
    retryable: true,
  });
}

/** Notes whether the newest token waits for an operator to bring it, or is in the hands of whoever asked. */
function withHandover(current: Identity, update: IdentityUpdate | null, isHandover: boolean) {
  const identity = update?.identity ?? current;
  const { token } = identity;
  const handoverGeneration = isHandover
    ? token.generation
    : Math.min(token.handoverGeneration, token.generation - 1);
  if (handoverGeneration === token.handoverGeneration) return update;
  return {
    identity: { ...identity, token: { ...token, handoverGeneration } },
    changes: update?.changes ?? [],
  };
}

function isNewWanted({ token }: Identity, wishes: SuccessorWishes): boolean {
  const { isCutOver = false, isForced = false, generation = token.generation } = wishes;
  return isCutOver || (isForced && token.generation <= generation);
}

/** With its row in the due index: at once where Everleaf delivers it, else when it is to be rotated in its turn. */
function newlyDue(
  deps: Deps,
  run: Run,
  rotationKey: Secret<Uint8Array>,
  current: Identity,
  isCutOver: boolean,
) {
  const update = withSuccessor(deps, run, rotationKey, current, { isCutOver });
  // What failed before was another token's delivery: this one is not to wait for that one's next try.
  const identity = withCredential(update.identity, 'token', { failure: null });
  const isDelivered = current.delivery === 'vault';
  const due = moveDue(identity, 'token', isDelivered ? deps.clock.now() : identity.token.rotateAfter);
  return { identity: due.identity, changes: [...update.changes, ...due.changes] };
}
