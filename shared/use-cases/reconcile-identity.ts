import { isSameBytes } from '../domain/encoding.ts';
import type { CredentialKind, Identity } from '../domain/identity.ts';
import { later, wholeSecond } from '../domain/instants.ts';
import { identityText, isSameIdentity, vaultCertificateName } from '../domain/names.ts';
import {
  type Finding,
  findInIdentity,
  type IdentityFacts,
  isVaultSettled,
  mendIdentity,
  type VaultFacts,
} from '../domain/reconciliation.ts';
import { planCredential } from '../domain/renewal-plan.ts';
import { parseCertificate } from '../pki/certificate.ts';
import type { VaultCertificate } from '../ports/credential-vault.ts';
import type { Change } from '../ports/identity-store.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { moveDue, updateIdentity, withCredential } from './update-identity.ts';
import { vaultsOf } from './vaults-of.ts';

const KINDS = ['certificate', 'token'] as const;

/**
 * Compares one identity with its rows and its vault versions, and mends what is wrong, with an event for each
 * finding, in one transaction. What was read is judged only if the identity is the same before and after: every
 * renewal writes its attempt down before it touches the vault, so no renewal can be mistaken for damage.
 * @param seen the identity as a list had it, for the first look; what is mended is read anew
 * @returns what was found and mended
 */
export async function reconcileIdentity(deps: Deps, run: Run, seen: Identity): Promise<readonly Finding[]> {
  if (findInIdentity(seen, await readFacts(deps, seen), deps.clock.now()).length === 0) return [];
  let findings: readonly Finding[] = [];
  await updateIdentity(deps, seen, async (current) => {
    const facts = await readFacts(deps, current);
    const now = wholeSecond(deps.clock.now());
    findings = findInIdentity(current, facts, now);
    return findings.length === 0 ? null : mend(deps, run, current, facts, findings, now);
  });
  // Last, because it cannot be part of the transaction. A worker that takes the request up just now loses its key, and
  // begins another attempt.
  if (findings.some(({ name }) => name === 'request-left-over')) {
    const { certificates } = await vaultsOf(deps, seen.cluster);
    await certificates.discardPending(vaultCertificateName(seen));
  }
  return findings;
}

async function readFacts(deps: Deps, identity: Identity): Promise<IdentityFacts> {
  const [vault, certificate, token] = await Promise.all([
    isVaultSettled(identity) ? readVault(deps, identity) : null,
    readDueAt(deps, identity, 'certificate'),
    readDueAt(deps, identity, 'token'),
  ]);
  return { vault, dueAt: { certificate, token } };
}

async function readVault(deps: Deps, identity: Identity): Promise<VaultFacts> {
  const name = vaultCertificateName(identity);
  const { certificates } = await vaultsOf(deps, identity.cluster);
  const pending = await certificates.pending(name);
  const found = await certificates.current(name);
  const isInForce = found !== null && found.version === identity.certificate.head?.vaultVersion;
  return {
    // The version in force has its record since before it was merged.
    current:
      found === null
        ? null
        : {
            version: found.version,
            isRecorded: isInForce || (await isRecorded(deps, identity, found)),
            isEnabled: found.isEnabled,
          },
    isRequestWaiting: pending.state === 'waiting',
  };
}

async function isRecorded(deps: Deps, identity: Identity, { der }: VaultCertificate): Promise<boolean> {
  let serialNumber: string;
  try {
    serialNumber = parseCertificate(der).serialNumber;
  } catch {
    // Nothing that Everleaf signs fails to parse.
    return false;
  }
  const record = await deps.identities.certificate(identity, serialNumber);
  return record !== null && isSameBytes(record.der, der);
}

async function readDueAt(deps: Deps, identity: Identity, kind: CredentialKind): Promise<Date | null> {
  const key = identity[kind].dueKey;
  const row = key === null ? null : await deps.identities.dueRow(identity.cluster, key);
  const isOwn = row !== null && row.kind === kind && isSameIdentity(row.identity, identity);
  return isOwn ? row.dueAt : null;
}

function mend(
  deps: Deps,
  run: Run,
  identity: Identity,
  facts: IdentityFacts,
  findings: readonly Finding[],
  now: Date,
): { identity: Identity; changes: readonly Change[] } {
  let mended = mendIdentity(identity, findings, now);
  const changes: Change[] = [];
  for (const kind of KINDS) {
    const isWrong = findings.some((finding) => finding.kind === kind && finding.name !== 'request-left-over');
    if (!isWrong) continue;
    const dueAt = later(planCredential(mended, kind, now).dueAt, now);
    // A key that leads to no row of this credential must not take another's row away.
    const from = facts.dueAt[kind] === null ? withCredential(mended, kind, { dueKey: null }) : mended;
    const due = moveDue(from, kind, dueAt);
    changes.push(...due.changes);
    mended = due.identity;
  }
  for (const { name, kind } of findings) {
    run.log.write('warn', `Reconcile: ${name} at the ${kind} of ${identityText(identity)}; mended.`);
    changes.push(eventChange(deps, run, 'reconciled', identity, { reason: name, details: { kind } }));
  }
  return { identity: mended, changes };
}
