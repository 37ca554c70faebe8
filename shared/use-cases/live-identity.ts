import { toHex } from '../domain/encoding.ts';
import { EverleafError } from '../domain/errors.ts';
import type { Identity } from '../domain/identity.ts';
import { type IdentityId, identityText } from '../domain/names.ts';
import type { Deps } from './deps.ts';
import { assertIfMatch, type IfMatch } from './if-match.ts';
import { readIdentity } from './update-identity.ts';

/** A deleted identity keeps its row, and is to everybody as if it had none. @throws EverleafError NotFound */
export function assertLive(identity: Identity): void {
  if (identity.deletedAt === null) return;
  throw new EverleafError('NotFound', `There is no identity ${identityText(identity)}.`);
}

/** Reads an identity that is not deleted. @throws EverleafError NotFound */
export async function readLiveIdentity(deps: Pick<Deps, 'identities'>, id: IdentityId): Promise<Identity> {
  const identity = await readIdentity(deps, id);
  assertLive(identity);
  return identity;
}

/**
 * The entity tag of what an operator decides about an identity. The record itself is written at each login and each
 * renewal, none of which takes an operator's change away, so none of them may make it fail.
 */
export function identityTag(deps: Pick<Deps, 'digest'>, identity: Identity): string {
  const { incarnation, autoRotate, tokenExpiryInSeconds, tokenMaxUses, dnsNames } = identity;
  const { revokedAt, revocationReason, deletedAt } = identity;
  const decided = [incarnation, autoRotate, tokenExpiryInSeconds, tokenMaxUses, dnsNames];
  const text = JSON.stringify([...decided, revokedAt, revocationReason, deletedAt]);
  return toHex(deps.digest.sha256(new TextEncoder().encode(text))).slice(0, 32);
}

/** @throws EverleafError PreconditionRequired, PreconditionFailed: see `assertIfMatch` */
export function assertUnchanged(deps: Pick<Deps, 'digest'>, identity: Identity, ifMatch: IfMatch): void {
  const stored = { value: identity, etag: identityTag(deps, identity) };
  assertIfMatch(ifMatch, stored, `identity ${identityText(identity)}`);
}
