import { fromHex } from '../domain/encoding.ts';
import type { Identity } from '../domain/identity.ts';
import { type IdentityId, identityText, vaultTokenName } from '../domain/names.ts';
import { isWorkDue } from '../domain/renewal-plan.ts';
import type { Secret } from '../domain/secret.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { assertIssuable } from './find-revocation.ts';
import { canTellAgain, isTokenRevoked, withSuccessor } from './token-successor.ts';
import { readRotationKey, tokenText } from './tokens.ts';
import { moveDue, updateIdentity, withCredential } from './update-identity.ts';
import { vaultsOf } from './vaults-of.ts';

/**
 * Gives a vault-delivered identity its next token, and puts it into the vault as a new version of its secret. The
 * successor is recorded before it is delivered; a call that finds an undelivered one delivers that very token, which
 * follows from the record and the rotation key. The earlier token works until the new one is used, or to its own end.
 * @param generation the token generation that this rotation replaces, or that was never delivered
 */
export async function rotateToken(
  deps: Deps,
  run: Run,
  id: IdentityId,
  generation: number,
): Promise<'rotated' | 'nothing-to-do'> {
  const rotationKey = await readRotationKey(deps);
  const identity = await recordSuccessor(deps, run, rotationKey, id, generation);
  if (identity === null) return 'nothing-to-do';
  const token = await deps.identities.token(fromHex(identity.token.id));
  const text = token === null ? null : tokenText(deps, rotationKey, token.value);
  if (text === null) return 'nothing-to-do';
  const { secrets } = await vaultsOf(deps, id.cluster);
  const { version } = await secrets.write(vaultTokenName(identity), text, {
    contentType: 'text/plain',
    tags: { cluster: identity.cluster, name: identity.name, generation: String(identity.token.generation) },
    expiresAt: identity.token.expiresAt,
  });
  await recordDelivery(deps, run, identity, version);
  return 'rotated';
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

async function recordDelivery(deps: Deps, run: Run, delivered: Identity, version: string): Promise<void> {
  await updateIdentity(deps, delivered, (current) => {
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
      identity: withCredential(identity, 'token', { dueKey: due.dueKey }),
      changes: [
        ...due.changes,
        eventChange(deps, run, 'token-delivered', current, {
          details: { generation: current.token.generation, vaultVersion: version },
        }),
      ],
    };
  });
  run.log.write('info', `${identityText(delivered)} has token ${delivered.token.generation} in the vault.`);
}
