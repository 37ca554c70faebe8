import { fromHex } from '../domain/encoding.ts';
import { EverleafError } from '../domain/errors.ts';
import type { Identity } from '../domain/identity.ts';
import { type IdentityId, identityText, vaultTokenName } from '../domain/names.ts';
import { isWorkDue } from '../domain/renewal-plan.ts';
import type { Secret } from '../domain/secret.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { assertIssuable } from './find-revocation.ts';
import { canTellAgain, isTokenRevoked, withSuccessor } from './token-successor.ts';
import { readRotationKey, tokenText } from './tokens.ts';
import { moveDue, updateIdentity } from './update-identity.ts';
import { vaultsOf } from './vaults-of.ts';

/** Deliveries that one call makes when the record moves on during each of them. */
const DELIVERIES = 5;

/**
 * Gives a vault-delivered identity its next token, and puts it into the vault as a new version of its secret. The
 * successor is recorded before it is delivered; a call that finds an undelivered one delivers that very token, which
 * follows from the record and the rotation key. The earlier token works until the new one is used, or to its own end.
 *
 * A slow worker may put an earlier token in front of the newest one, and no vault offers a write that prevents it: so
 * whoever sees after its write that the record has moved on puts the newest token in front again.
 * @param generation the token generation that this rotation replaces, or that was never delivered
 */
export async function rotateToken(
  deps: Deps,
  run: Run,
  id: IdentityId,
  generation: number,
): Promise<'rotated' | 'nothing-to-do'> {
  const rotationKey = await readRotationKey(deps);
  let wanted = await recordSuccessor(deps, run, rotationKey, id, generation);
  for (let delivery = 1; wanted !== null; delivery++) {
    const version = await writeToVault(deps, rotationKey, wanted);
    if (version === null) return 'nothing-to-do';
    const after = await recordDelivery(deps, run, wanted, version);
    if (after.token.id === wanted.token.id) return 'rotated';
    wanted = await recordOverwritten(deps, run, rotationKey, id);
    if (delivery === DELIVERIES) break;
  }
  if (wanted === null) return 'nothing-to-do';
  throw new EverleafError(
    'Conflict',
    `Every token of ${identityText(id)} was replaced while it was delivered.`,
    {
      retryable: true,
    },
  );
}

/** @returns the version; null when the token was used in between, so that its text cannot be told any more */
async function writeToVault(
  deps: Deps,
  rotationKey: Secret<Uint8Array>,
  identity: Identity,
): Promise<string | null> {
  const token = await deps.identities.token(fromHex(identity.token.id));
  const text = token === null ? null : tokenText(deps, rotationKey, token.value);
  if (text === null) return null;
  const { secrets } = await vaultsOf(deps, identity.cluster);
  const { version } = await secrets.write(vaultTokenName(identity), text, {
    contentType: 'text/plain',
    tags: { cluster: identity.cluster, name: identity.name, generation: String(identity.token.generation) },
    expiresAt: identity.token.expiresAt,
  });
  return version;
}

/** Writes down the successor, or finds one that waits for delivery. Null: all done. */
async function recordSuccessor(
  deps: Deps,
  run: Run,
  rotationKey: Secret<Uint8Array>,
  id: IdentityId,
  generation: number,
): Promise<Identity | null> {
  let isDone = false;
  const identity = await updateIdentity(deps, id, async (current) => {
    const { token } = current;
    const isWaiting = token.vaultVersion === null && token.generation - generation <= 1;
    isDone = isWaiting
      ? current.revokedAt !== null
      : token.generation !== generation || !(await isReplaceable(deps, current));
    if (isDone) return null;
    await assertIssuable(deps, current);
    // One that waited until it is due itself, was used (its text cannot be told again) or is revoked makes way.
    if (isWaiting && token.forcedAt === null && (await canTellAgain(deps, current))) return null;
    return withSuccessor(deps, run, rotationKey, current);
  });
  return isDone ? null : identity;
}

/** A token that a rule revokes serves nobody: its successor is wanted whatever the dates say, if anything may be. */
async function isReplaceable(
  deps: Pick<Deps, 'clock' | 'revocationRules'>,
  current: Identity,
): Promise<boolean> {
  if (current.revokedAt !== null) return false;
  return isWorkDue(current, 'token', deps.clock.now()) || isTokenRevoked(deps, current);
}

/**
 * Writes down that the vault's newest token is an earlier one than the record's: that one is to be delivered again at
 * once, by this worker or, when it dies, by the next. Null: nothing is delivered any more.
 */
async function recordOverwritten(
  deps: Deps,
  run: Run,
  rotationKey: Secret<Uint8Array>,
  id: IdentityId,
): Promise<Identity | null> {
  const identity = await updateIdentity(deps, id, async (current) => {
    if (current.revokedAt !== null) return null;
    await assertIssuable(deps, current);
    const isTellable = await canTellAgain(deps, current);
    if (isTellable && current.token.vaultVersion === null) return null;
    const waiting = { ...current, token: { ...current.token, vaultVersion: null } };
    const update = isTellable
      ? { identity: waiting, changes: [] }
      : withSuccessor(deps, run, rotationKey, current);
    const due = moveDue(update.identity, 'token', deps.clock.now());
    return { identity: due.identity, changes: [...update.changes, ...due.changes] };
  });
  if (identity.revokedAt !== null) return null;
  run.log.write(
    'warn',
    `An earlier token of ${identityText(id)} came into the vault late; the newest follows.`,
  );
  return identity;
}

/** @returns the identity as it stands afterwards: with another token, when it moved on during the delivery */
async function recordDelivery(deps: Deps, run: Run, delivered: Identity, version: string): Promise<Identity> {
  const after = await updateIdentity(deps, delivered, (current) => {
    if (current.token.id !== delivered.token.id || current.token.vaultVersion !== null) return null;
    const identity: Identity = {
      ...current,
      token: {
        ...current.token,
        vaultVersion: version,
        queuedAt: null,
        failure: null,
        lastSuccessAt: deps.clock.now(),
      },
    };
    const due = moveDue(identity, 'token', current.token.rotateAfter);
    return {
      identity: due.identity,
      changes: [
        ...due.changes,
        eventChange(deps, run, 'token-delivered', current, {
          details: { generation: current.token.generation, vaultVersion: version },
        }),
      ],
    };
  });
  run.log.write('info', `${identityText(delivered)} has token ${delivered.token.generation} in the vault.`);
  return after;
}
