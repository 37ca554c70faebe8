import type { ActiveAuthority } from '../domain/authority.ts';
import { EverleafError, isEverleafError } from '../domain/errors.ts';
import { type CertificateRecord, type Identity, type Instance, VAULT_INSTANCE } from '../domain/identity.ts';
import { MINUTE_MS, SECOND_MS } from '../domain/instants.ts';
import { identityText, isSameIdentity } from '../domain/names.ts';
import type { TokenRecord } from '../domain/token.ts';
import type { CertificateRequest } from '../pki/certificate-request.ts';
import { spkiHash } from '../pki/public-key.ts';
import type { LoginRecord, Owner, Stored } from '../ports/identity-store.ts';
import { readActiveAuthority } from './authorities.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import {
  grantedNames,
  headOf,
  isAttemptUsable,
  isClipped,
  planAttempt,
  signLeaf,
} from './issue-certificate.ts';
import type { IssuedLogin } from './login-answer.ts';
import { tokenUse } from './token-use.ts';

/** How long a login's answer is repeated for the same token and key. */
const REPEAT_MS = 10 * MINUTE_MS;
/** An attempt that has not ended by then is taken over by the next equal request. */
const TAKE_OVER_MS = 30 * SECOND_MS;
/** How an equal request waits for the one that signs: 5 s in all. */
const WAIT_MS = 250;
const WAITS = 20;
/** Lost races for one login row before the caller is asked to come back. */
const RACES = 10;

/**
 * Issues a certificate for a login, once per token and key: of two equal requests one signs and the other waits.
 * The attempt is written down before anything is signed, and a request that finds one left by a crash signs the same
 * serial number with the same dates.
 */
export async function issueForLogin(
  deps: Deps,
  run: Run,
  identity: Identity,
  token: TokenRecord,
  request: CertificateRequest,
): Promise<IssuedLogin> {
  const [authority, instance] = await Promise.all([
    readActiveAuthority(deps),
    claimKey(deps, identity, request),
  ]);
  for (let race = 0; race < RACES; race++) {
    const login = await claimLogin(deps, authority, identity, token, request, instance);
    const owner = { identity: login.value.identity, instance };
    const recorded =
      login.value.finishedAt === null
        ? await signAndRecord(deps, run, authority, identity, token, request, login, owner)
        : await deps.identities.certificate(identity, login.value.attempt.serialNumber);
    if (recorded !== null) return describeIssued(deps, identity, request, recorded, authority);
  }
  throw inProgress(identity);
}

/** The line of certificates that this key belongs to: the one that holds it, or a new one named after it. */
async function claimKey(deps: Deps, identity: Identity, request: CertificateRequest): Promise<string> {
  const hash = spkiHash(request.spki);
  const id = { cluster: identity.cluster, name: identity.name };
  const newInstance = hash.slice(0, 32);
  const owner = await deps.identities.claimKey(hash, { identity: id, instance: newInstance });
  if (!isSameIdentity(owner.identity, identity)) {
    throw new EverleafError(
      'InvalidCertificateRequest',
      'The request is for a key that belongs to another identity. Make a new key.',
      { details: { reason: 'key-of-another-identity' } },
    );
  }
  // The vault's own line goes on through the vault alone: who logs in with its key begins a line beside it.
  return owner.instance === VAULT_INSTANCE ? newInstance : owner.instance;
}

/** Becomes the one that signs, or finds the finished login of an equal request. */
async function claimLogin(
  deps: Deps,
  authority: ActiveAuthority,
  identity: Identity,
  token: TokenRecord,
  request: CertificateRequest,
  instance: string,
): Promise<Stored<LoginRecord>> {
  const hash = spkiHash(request.spki);
  for (let waited = 0; waited <= WAITS; waited++) {
    const now = deps.clock.now();
    const found = await deps.identities.login(identity.cluster, token.id, hash);
    if (found !== null && found.value.finishedAt !== null) {
      if (now.getTime() - found.value.finishedAt.getTime() < REPEAT_MS) return found;
    } else if (found !== null && now.getTime() - found.value.startedAt.getTime() < TAKE_OVER_MS) {
      await deps.clock.wait(WAIT_MS);
      continue;
    }
    const claimed = nextLogin(deps, authority, identity, token, hash, instance, found?.value ?? null);
    try {
      await deps.identities.commit(identity.cluster, [
        found === null
          ? { op: 'insert', kind: 'login', value: claimed }
          : { op: 'replace', kind: 'login', value: claimed, etag: found.etag },
      ]);
    } catch (error) {
      if (!isEverleafError(error, 'Conflict')) throw error;
      continue;
    }
    const mine = await deps.identities.login(identity.cluster, token.id, hash);
    if (mine !== null && mine.value.attempt.id === claimed.attempt.id) return mine;
  }
  throw inProgress(identity);
}

function nextLogin(
  deps: Deps,
  authority: ActiveAuthority,
  identity: Identity,
  token: TokenRecord,
  hash: string,
  instance: string,
  left: LoginRecord | null,
): LoginRecord {
  const now = deps.clock.now();
  const isResumable =
    left !== null && left.finishedAt === null && isAttemptUsable(deps, left.attempt, authority);
  return {
    v: 1,
    identity: { cluster: identity.cluster, name: identity.name },
    tokenId: token.id,
    spkiHash: hash,
    instance,
    startedAt: now,
    attempt: isResumable ? left.attempt : { ...planAttempt(deps, authority, identity), spkiHash: hash },
    finishedAt: null,
  };
}

/** Signs and writes everything that follows in one transaction. Null: somebody else was faster; look again. */
async function signAndRecord(
  deps: Deps,
  run: Run,
  authority: ActiveAuthority,
  identity: Identity,
  token: TokenRecord,
  request: CertificateRequest,
  login: Stored<LoginRecord>,
  owner: Owner,
): Promise<CertificateRecord | null> {
  const { attempt } = login.value;
  await deps.identities.claimSerial(attempt.serialNumber, owner);
  const record = await signLeaf(deps, authority, identity, owner.instance, attempt, request);
  for (let race = 0; race < RACES; race++) {
    const [use, line] = await Promise.all([
      tokenUse(deps, owner.identity, token.id),
      deps.identities.instance(owner.identity, owner.instance),
    ]);
    const instance: Instance = {
      v: 1,
      id: owner.instance,
      identity: owner.identity,
      startedAt: line?.startedAt ?? record.issuedAt,
      spkiHash: record.spkiHash,
      head: headOf(record, 0, null),
    };
    try {
      await deps.identities.commit(identity.cluster, [
        { op: 'insert', kind: 'certificate', value: record },
        { op: 'put', kind: 'instance', value: instance },
        {
          op: 'replace',
          kind: 'login',
          value: { ...login.value, finishedAt: deps.clock.now() },
          etag: login.etag,
        },
        ...use.changes,
        eventChange(deps, run, 'login', owner.identity, {
          serialNumber: record.serialNumber,
          authorityId: authority.id,
          details: { instance: owner.instance, newInstance: line === null },
        }),
      ]);
      return record;
    } catch (error) {
      if (!isEverleafError(error, 'Conflict')) throw error;
      const now = await deps.identities.login(identity.cluster, token.id, record.spkiHash);
      if (now?.etag !== login.etag) return null;
    }
  }
  throw inProgress(identity);
}

function describeIssued(
  deps: Deps,
  identity: Identity,
  request: CertificateRequest,
  record: CertificateRecord,
  authority: ActiveAuthority,
): IssuedLogin {
  const warnings = grantedNames(identity, request).refused.map(
    (name) => `The name "${name}" is left out: ${identityText(identity)} is not allowed to carry it.`,
  );
  if (isClipped(deps, record, authority)) {
    warnings.push('The certificate ends earlier than usual, together with the authority that signed it.');
  }
  return { record, head: headOf(record, 0, null), instance: record.instance, vault: null, warnings };
}

function inProgress(identity: Identity): EverleafError {
  return new EverleafError(
    'InProgress',
    `The same login of ${identityText(identity)} is being answered. Send the request again in a moment.`,
    { retryable: true, retryAfterSeconds: 5 },
  );
}
