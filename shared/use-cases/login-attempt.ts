import type { ActiveAuthority } from '../domain/authority.ts';
import { isEverleafError } from '../domain/errors.ts';
import type { CertificateRecord, Identity } from '../domain/identity.ts';
import { lineAfterLogin } from '../domain/instance.ts';
import { MINUTE_MS, wholeSecond } from '../domain/instants.ts';
import { identityText } from '../domain/names.ts';
import type { TokenRecord } from '../domain/token.ts';
import type { CertificateRequest } from '../pki/certificate-request.ts';
import { spkiHash } from '../pki/public-key.ts';
import type { IssuanceRecord, Owner, Stored } from '../ports/identity-store.ts';
import { agentCertificateChanges } from './agent-certificate.ts';
import { readActiveAuthority } from './authorities.ts';
import { checkKey, checkLine, claimKey } from './claim-key.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { assertMayBegin, countIssuance } from './issuance-limit.ts';
import { grantedNames, headOf, isClipped, signLeaf } from './issue-certificate.ts';
import { claimIssuance, issuanceInProgress, RACES } from './issue-once.ts';
import type { IssuedLogin } from './login-answer.ts';
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
): Promise<IssuedLogin> {
  await assertMayBegin(deps, identity, token.id, spkiHash(request.spki));
  const [authority, instance] = await Promise.all([
    readActiveAuthority(deps),
    claimKey(deps, identity, request),
  ]);
  checkLine((await deps.identities.instance(identity, instance))?.value ?? null);
  const order = { authority, identity, credential: token.id, spkiHash: spkiHash(request.spki), instance };
  for (let race = 0; race < RACES; race++) {
    const login = await claimIssuance(deps, order, (issuance) => isRepeatable(deps, issuance));
    const owner = { identity: login.value.identity, instance };
    const recorded =
      login.value.finishedAt === null
        ? await signAndRecord(deps, run, authority, identity, token, request, login, owner)
        : await deps.identities.certificate(identity, login.value.attempt.serialNumber);
    if (recorded !== null) return describeIssued(deps, identity, request, recorded, authority);
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
  const found = await deps.identities.issuance(identity.cluster, token.id, spkiHash(request.spki));
  if (found === null || !(await isRepeatable(deps, found.value))) return null;
  const { instance, attempt } = found.value;
  checkLine((await deps.identities.instance(identity, instance))?.value ?? null);
  const recorded = await deps.identities.certificate(identity, attempt.serialNumber);
  const authority = await readActiveAuthority(deps);
  return recorded === null ? null : describeIssued(deps, identity, request, recorded, authority);
}

/** An answer is given again for ten minutes, unless its certificate was revoked since. */
async function isRepeatable(
  deps: Deps,
  { identity, attempt: { serialNumber }, finishedAt }: IssuanceRecord,
): Promise<boolean> {
  const isRecent = finishedAt !== null && deps.clock.now().getTime() - finishedAt.getTime() < REPEAT_MS;
  if (!isRecent) return false;
  const revocations = await deps.identities.revocations(identity);
  return !revocations.some((one) => one.serialNumber === serialNumber);
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
): Promise<CertificateRecord | null> {
  const { attempt } = login.value;
  await deps.identities.claimSerial(attempt.serialNumber, owner);
  const record = await signLeaf(deps, authority, identity, owner.instance, attempt, request);
  const head = headOf(record, 0, null);
  for (let race = 0; race < RACES; race++) {
    const line = await deps.identities.instance(owner.identity, owner.instance);
    checkLine(line?.value ?? null);
    await checkKey(deps, owner.identity, record.spkiHash);
    const use = await tokenUse(deps, owner.identity, token.id, 'counted', (current) =>
      agentCertificateChanges(countIssuance(deps, current), head, wholeSecond(deps.clock.now())),
    );
    const value = lineAfterLogin(line?.value ?? null, use.identity, owner.instance, { ...record, head });
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
      ]);
      return record;
    } catch (error) {
      if (!isEverleafError(error, 'Conflict')) throw error;
      const now = await deps.identities.issuance(identity.cluster, token.id, record.spkiHash);
      if (now?.etag !== login.etag) return null;
    }
  }
  throw issuanceInProgress(identity);
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
