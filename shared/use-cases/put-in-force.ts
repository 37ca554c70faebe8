import type { ActiveAuthority } from '../domain/authority.ts';
import type { CertificateAttempt, CertificateRecord, Identity } from '../domain/identity.ts';
import { toInstant } from '../domain/instants.ts';
import { type IdentityId, identityText, vaultCertificateName } from '../domain/names.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { headOf, isClipped } from './issue-certificate.ts';
import { moveDue, updateIdentity } from './update-identity.ts';
import { vaultsOf } from './vaults-of.ts';

/**
 * Step 6: keeps what was signed. Whoever signed the same serial first wins: theirs is the certificate. The record of the
 * identity is written with it, so that nothing is kept for one that was revoked meanwhile. Null: it was, or its attempt
 * was given up.
 */
export async function recordCertificate(
  deps: Deps,
  identity: Identity,
  attempt: CertificateAttempt,
  signed: CertificateRecord,
): Promise<CertificateRecord | null> {
  let kept: CertificateRecord | null = null;
  await updateIdentity(deps, identity, async (current) => {
    kept = await deps.identities.certificate(signed.identity, signed.serialNumber);
    const isWanted = current.revokedAt === null && current.certificate.attempt?.id === attempt.id;
    if (kept !== null || !isWanted) return null;
    kept = signed;
    return { identity: current, changes: [{ op: 'insert', kind: 'certificate', value: signed }] };
  });
  return kept;
}

/**
 * Step 8: the new certificate becomes the one in force. When it ends earlier than one would expect, event and log
 * say so: its life is shorter than the policy's because its authority ends, or it ends before the one it replaces. Of an
 * identity that was revoked meanwhile nothing comes into force, and the version that came too late is disabled.
 */
export async function putInForce(
  deps: Deps,
  run: Run,
  id: IdentityId,
  record: CertificateRecord,
  version: string,
  authority: ActiveAuthority,
): Promise<void> {
  const endsWithAuthority = isClipped(deps, record, authority);
  let endsBeforePredecessor = false;
  const identity = await updateIdentity(deps, id, (current) => {
    const { attempt, head, generation } = current.certificate;
    if (attempt?.serialNumber !== record.serialNumber) return null;
    if (current.revokedAt !== null) {
      return {
        identity: { ...current, certificate: { ...current.certificate, attempt: null } },
        changes: [],
      };
    }
    const newHead = headOf(record, head === null ? 0 : head.renewCount + 1, version);
    const state = { ...current, certificate: { ...current.certificate, head: newHead } };
    const due = moveDue(state, 'certificate', newHead.renewAfter);
    endsBeforePredecessor = head !== null && newHead.notAfter < head.notAfter;
    return {
      identity: {
        ...due.identity,
        certificate: {
          ...due.identity.certificate,
          generation: generation + 1,
          queuedAt: null,
          lastSuccessAt: deps.clock.now(),
          failure: null,
          forcedAt: null,
          attempt: null,
        },
      },
      changes: [
        ...due.changes,
        eventChange(deps, run, head === null ? 'certificate-issued' : 'certificate-renewed', id, {
          serialNumber: record.serialNumber,
          authorityId: record.authorityId,
          details: { vaultVersion: version, endsWithAuthority, endsBeforePredecessor },
        }),
      ],
    };
  });
  if (identity.revokedAt !== null) {
    const { certificates } = await vaultsOf(deps, id.cluster);
    await certificates.disable(vaultCertificateName(id), version);
    return;
  }
  const what = `certificate ${record.serialNumber} of ${identityText(identity)}`;
  const end = toInstant(record.notAfter);
  run.log.write('info', `${identityText(identity)} has certificate ${record.serialNumber} in the vault.`);
  if (endsWithAuthority) {
    run.log.write(
      'warn',
      `The ${what} is cut to the end of authority ${authority.id}, ${end}: it needs a successor.`,
    );
  }
  if (endsBeforePredecessor) {
    run.log.write(
      'warn',
      `The ${what} ends at ${end}, before the one it replaces: the policy was longer then.`,
    );
  }
}
