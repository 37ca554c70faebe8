import { EverleafError, isEverleafError } from '../domain/errors.ts';
import { type CredentialKind, type CredentialState, type Identity, tokenEnd } from '../domain/identity.ts';
import { toMinute } from '../domain/instants.ts';
import { type IdentityId, identityText } from '../domain/names.ts';
import { isLeftToOthers } from '../domain/renewal-plan.ts';
import type { Change } from '../ports/identity-store.ts';
import type { Deps } from './deps.ts';
import { brief, type Patience, patient } from './patience.ts';

/** When to come back, in seconds, after every try has lost its race. */
const COME_BACK_SECONDS = 5;

/** What a step does to an identity: the record as it shall be, and the rows that change with it. */
export interface IdentityUpdate {
  readonly identity: Identity;
  readonly changes: readonly Change[];
}

/** Reads an identity. @throws EverleafError NotFound */
export async function readIdentity(deps: Pick<Deps, 'identities'>, id: IdentityId): Promise<Identity> {
  const stored = await deps.identities.identity(id);
  if (stored === null) throw notFound(id);
  return stored.value;
}

/**
 * Reads an identity, decides, and writes in one transaction; when somebody wrote in between it reads and decides
 * again, so a lost race is never a failure.
 * @param decide gives the update, or null when there is nothing to do any more; called once per try
 * @param patience `patient` for what nobody may hold up by writing the identity again and again
 * @returns the identity as it stands afterwards
 * @throws EverleafError NotFound; Conflict when every try lost its race
 */
export async function updateIdentity(
  deps: Pick<Deps, 'identities'>,
  id: IdentityId,
  decide: (identity: Identity) => IdentityUpdate | null | Promise<IdentityUpdate | null>,
  patience: Patience = brief(),
): Promise<Identity> {
  for (;;) {
    const stored = await deps.identities.identity(id);
    if (stored === null) throw notFound(id);
    const update = await decide(stored.value);
    if (update === null) return stored.value;
    try {
      await deps.identities.commit(id.cluster, [
        { op: 'replace', kind: 'identity', value: update.identity, etag: stored.etag },
        ...update.changes,
      ]);
      return update.identity;
    } catch (error) {
      if (!isEverleafError(error, 'Conflict')) throw error;
      if (!(await patience())) throw busyIdentity(id, error);
    }
  }
}

/** `updateIdentity` for a step that takes something away, which nobody may hold up by writing the identity meanwhile. */
export function updatePatiently(
  deps: Pick<Deps, 'identities' | 'clock' | 'random'>,
  id: IdentityId,
  decide: (identity: Identity) => IdentityUpdate | null | Promise<IdentityUpdate | null>,
): Promise<Identity> {
  return updateIdentity(deps, id, decide, patient(deps));
}

/** The refusal of a step whose every try lost its race. */
export function busyIdentity(id: IdentityId, cause: unknown): EverleafError {
  return new EverleafError('Conflict', `Others keep changing ${identityText(id)}. Try again in a moment.`, {
    retryable: true,
    retryAfterSeconds: COME_BACK_SECONDS,
    cause,
  });
}

function notFound(id: IdentityId): EverleafError {
  return new EverleafError('NotFound', `There is no identity ${identityText(id)}.`);
}

/**
 * Moves a credential's row in the due index, and the record's pointer to it, to another moment.
 * @param identity as it is after the change: the row says what ends when, and who must act
 * @param dueAt null takes the credential out of the index
 * @returns the identity with its new pointer, and the rows that change with it
 */
export function moveDue(identity: Identity, kind: CredentialKind, dueAt: Date | null): IdentityUpdate {
  const id = { cluster: identity.cluster, name: identity.name };
  const old = identity[kind].dueKey;
  const key = dueAt === null ? null : dueKey(id, kind, dueAt);
  const changes: Change[] = [];
  if (old !== null && old !== key) changes.push({ op: 'remove', kind: 'due', identity: id, key: old });
  if (key !== null && dueAt !== null) {
    const expiresAt = kind === 'token' ? tokenEnd(identity) : (identity.certificate.head?.notAfter ?? null);
    const isReminder = isLeftToOthers(identity, kind);
    changes.push({
      op: 'put',
      kind: 'due',
      value: { v: 1, key, identity: id, kind, dueAt, expiresAt, isReminder },
    });
  }
  return { identity: withCredential(identity, kind, { dueKey: key }), changes };
}

/** A credential's next one is wanted now, whatever the dates say, and however often it failed before. */
export function wantNext(identity: Identity, kind: CredentialKind, now: Date): IdentityUpdate {
  return moveDue(withCredential(identity, kind, { forcedAt: now, failure: null }), kind, now);
}

/** The record with changes to what certificates and tokens have in common, in the one or the other. */
export function withCredential(
  identity: Identity,
  kind: CredentialKind,
  changes: Partial<CredentialState>,
): Identity {
  return kind === 'certificate'
    ? { ...identity, certificate: { ...identity.certificate, ...changes } }
    : { ...identity, token: { ...identity.token, ...changes } };
}

/** Row key in the due index: sorts by minute, and never meets another credential's. */
export function dueKey(id: IdentityId, kind: CredentialKind, dueAt: Date): string {
  return `d|${toMinute(dueAt)}|${id.cluster}|${id.name.toLowerCase()}|${kind}`;
}
