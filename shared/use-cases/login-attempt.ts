import type { ActiveAuthority } from '../domain/authority.ts';
import { isEverleafError } from '../domain/errors.ts';
import type { Identity } from '../domain/identity.ts';
import { lineAfterLogin } from '../domain/instance.ts';
import { MINUTE_MS, wholeSecond } from '../domain/instants.ts';
import { isCertificateRevoked } from '../domain/revocation.ts';
import type { TokenRecord } from '../domain/token.ts';
import type { CertificateRequest } from '../pki/certificate-request.ts';
import { spkiHash as hashOf } from '../pki/public-key.ts';
import type { IssuanceRecord, Owner, Stored } from '../ports/identity-store.ts';
import { agentCertificateChanges } from './agent-certificate.ts';
import { hasCompromisedSigner, readIssuingAuthority } from './authorities.ts';
import { bundleEvents, lineWithBundle, withBundle } from './bundle-word.ts';
import { checkKey, checkLine, claimKey } from './claim-key.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { assertMayBegin, countIssuance } from './issuance-limit.ts';
import { headOf, signLeaf } from './issue-certificate.ts';
import { claimIssuance, issuanceInProgress, RACES } from './issue-once.ts';
import { type IssuedLogin, warningsOf } from './login-answer.ts';
import { refuseRuled } from './refuse-ruled.ts';
import { tokenUse } from './token-use.ts';

/** How long a login's answer is repeated for the same token and key. */
const REPEAT_MS = 10 * MINUTE_MS;

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
  bundleId: string | null,
): Promise<IssuedLogin> {
  await assertMayBegin(deps, identity, token.id, hashOf(request.spki));
  const [authority, instance] = await Promise.all([
    readIssuingAuthority(deps),
    claimKey(deps, identity, request),
  ]);
  checkLine((await deps.identities.instance(identity, instance))?.value ?? null);
  const order = { authority, identity, credential: token.id, spkiHash: hashOf(request.spki), instance };
  for (let race = 0; race < RACES; race++) {
    const login = await claimIssuance(deps, order, (issuance) => isRepeatable(deps, issuance));
    const owner = { identity: login.value.identity, instance };
    const issued =
      login.value.finishedAt === null
        ? await signAndRecord(deps, run, authority, identity, token, request, login, owner, bundleId)
        : await findIssued(deps, identity, login.value.attempt.serialNumber);
    if (issued !== null) {
      const { record } = issued;
      const warnings = warningsOf(deps, identity, request, record, authority);
      return { ...issued, head: headOf(record, 0, null), instance, vault: null, warnings };
    }
  }
  throw issuanceInProgress(identity);
}

/**
 * The answer of a login with this token and this key, once more; null when there was none, or its time is over. It is
 * not another login: nothing is issued and nothing counted.
 */
export async function repeatLogin(
  deps: Deps,
  identity: Identity,
  token: TokenRecord,
  request: CertificateRequest,
): Promise<IssuedLogin | null> {
  const found = await deps.identities.issuance(identity.cluster, token.id, hashOf(request.spki));
  if (found === null || !(await isRepeatable(deps, found.value))) return null;
  const { instance, attempt } = found.value;
  checkLine((await deps.identities.instance(identity, instance))?.value ?? null);
  const recorded = await deps.identities.certificate(identity, attempt.serialNumber);
  const authority = await readIssuingAuthority(deps);
  if (recorded === null) return null;
  const warnings = warningsOf(deps, identity, request, recorded, authority);
  return { identity, record: recorded, head: headOf(recorded, 0, null), instance, vault: null, warnings };
}

/** An answer is given again for ten minutes, unless its certificate was revoked since, or its authority tainted. */
async function isRepeatable(
  deps: Deps,
  { identity, attempt, spkiHash, finishedAt }: IssuanceRecord,
): Promise<boolean> {
  const isRecent = finishedAt !== null && deps.clock.now().getTime() - finishedAt.getTime() < REPEAT_MS;
  if (!isRecent || (await hasCompromisedSigner(deps, attempt))) return false;
  const revocations = await deps.identities.revocations(identity);
  return !isCertificateRevoked(revocations, { serialNumber: attempt.serialNumber, spkiHash });
}

type Issued = Pick<IssuedLogin, 'identity' | 'record'>;

async function findIssued(
  deps: Pick<Deps, 'identities'>,
  identity: Identity,
  serialNumber: string,
): Promise<Issued | null> {
  const record = await deps.identities.certificate(identity, serialNumber);
  return record === null ? null : { identity, record };
}

/** Signs and writes everything that follows in one transaction. Null: somebody else was faster; look again. */
async function signAndRecord(
  deps: Deps,
  run: Run,
  authority: ActiveAuthority,
  identity: Identity,
  token: TokenRecord,
  request: CertificateRequest,
  login: Stored<IssuanceRecord>,
  owner: Owner,
  bundleId: string | null,
): Promise<Issued | null> {
  const { attempt } = login.value;
  await deps.identities.claimSerial(attempt.serialNumber, owner);
  const record = await signLeaf(deps, authority, identity, owner.instance, attempt, request);
  const head = headOf(record, 0, null);
  for (let race = 0; race < RACES; race++) {
    const line = await deps.identities.instance(owner.identity, owner.instance);
    checkLine(line?.value ?? null);
    const use = await tokenUse(deps, owner.identity, token.id, 'counted', (current) =>
      agentCertificateChanges(
        countIssuance(deps, withBundle(current, { id: owner.instance }, bundleId)),
        head,
        wholeSecond(deps.clock.now()),
      ),
    );
    // After the identity was read: a revocation later than that makes the commit fail.
    await checkKey(deps, owner.identity, record.spkiHash);
    const begun = lineAfterLogin(line?.value ?? null, use.identity, owner.instance, { ...record, head });
    const value = lineWithBundle(begun, bundleId);
    try {
      await deps.identities.commit(identity.cluster, [
        { op: 'insert', kind: 'certificate', value: record },
        line === null
          ? { op: 'insert', kind: 'instance', value }
          : { op: 'replace', kind: 'instance', value, etag: line.etag },
        {
          op: 'replace',
          kind: 'issuance',
          value: { ...login.value, finishedAt: deps.clock.now() },
          etag: login.etag,
        },
        ...use.changes,
        eventChange(deps, run, 'login', owner.identity, {
          serialNumber: record.serialNumber,
          authorityId: authority.id,
          details: { instance: owner.instance, newInstance: line === null },
        }),
        ...bundleEvents(deps, run, identity, line?.value ?? null, bundleId),
      ]);
    } catch (error) {
      if (!isEverleafError(error, 'Conflict')) throw error;
      const now = await deps.identities.issuance(identity.cluster, token.id, record.spkiHash);
      if (now?.etag !== login.etag) return null;
      continue;
    }
    await refuseRuled(deps, run, use.identity, record);
    return { identity: use.identity, record };
  }
  throw issuanceInProgress(identity);
}
