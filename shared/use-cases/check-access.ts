import { identityPrincipal, type Verdict } from '../domain/access.ts';
import { isAction } from '../domain/actions.ts';
import { clientTypeAssignments } from '../domain/built-in-roles.ts';
import { isEnded, placeInLine } from '../domain/certificate-use.ts';
import { EverleafError } from '../domain/errors.ts';
import { type CertificateRecord, type Identity, VAULT_INSTANCE } from '../domain/identity.ts';
import type { Instance } from '../domain/instance.ts';
import { checkIdentityId, type IdentityId } from '../domain/names.ts';
import { parseScope } from '../domain/scope.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { decodePem } from '../pki/pem.ts';
import type { Deps } from './deps.ts';
import { findIdentityRevocation, findRevocation, type RevocationFinding } from './find-revocation.ts';
import { judgeAccess } from './judge-access.ts';
import { findRecorded } from './proven-caller.ts';

type Access = Pick<Deps, 'revocationRules' | 'access' | 'identities' | 'fleet' | 'clock'>;

export interface AccessQuestion {
  /** PEM of one certificate. This or `identity` is given, and not both. */
  readonly certificate: string | null;
  readonly identity: IdentityId | null;
  readonly action: string;
  readonly scope: string;
}

export interface AccessAnswer extends Verdict {
  /** Whose rights were judged; null when that is nobody of the record. */
  readonly identity: IdentityId | null;
  /** The certificate's, when one was asked about and the record has it. */
  readonly serialNumber: string | null;
}

/** Who a question is about, and why they may do nothing whatever their roles are. */
interface Found {
  readonly identity: Identity | null;
  readonly serialNumber: string | null;
  readonly refusal: string | null;
}

/**
 * Whether the owner of a certificate, or an identity, may do something somewhere, and why. A certificate counts when it is
 * byte for byte one that the record has, within its dates, revoked by nothing, and its line goes on with it: no path is built, and nothing that
 * stands in the certificate is believed but its serial number, to look it up by.
 * @throws EverleafError InvalidInput for a question that makes no sense; a certificate of others is answered, with no
 */
export async function checkAccess(deps: Access, question: AccessQuestion): Promise<AccessAnswer> {
  const { certificate, identity: id, action, scope } = question;
  if (!isAction(action)) throw invalidAt('/action', 'action is one action, such as identity/rotate.');
  parseScope(scope);
  if ((certificate === null) === (id === null)) {
    throw invalidAt('', 'Ask about a certificate or about an identity, and not both.');
  }
  const found = certificate === null ? await byName(deps, id) : await byCertificate(deps, certificate);
  const verdict = await judge(deps, found, action, scope);
  const { identity, serialNumber } = found;
  const owner = identity === null ? null : { cluster: identity.cluster, name: identity.name };
  return { ...verdict, identity: owner, serialNumber };
}

async function judge(deps: Access, found: Found, action: string, scope: string): Promise<Verdict> {
  const { identity, refusal } = found;
  if (identity === null || refusal !== null) {
    const reason = refusal ?? 'There is no such identity.';
    return { allowed: false, reason, role: null, assignment: null };
  }
  const subject = { principal: identityPrincipal(identity), implied: clientTypeAssignments(identity) };
  return judgeAccess(deps, subject, action, scope);
}

async function byName(deps: Access, id: IdentityId | null): Promise<Found> {
  if (id === null) return { identity: null, serialNumber: null, refusal: null };
  checkIdentityId(id);
  const identity = (await deps.identities.identity(id))?.value ?? null;
  if (identity === null) return { identity, serialNumber: null, refusal: null };
  const finding = await findIdentityRevocation(deps, identity);
  return { identity, serialNumber: null, refusal: finding === null ? null : SENTENCES[finding] };
}

async function byCertificate(deps: Access, pem: string): Promise<Found> {
  const der = decodePem(pem, 'CERTIFICATE');
  const record = await findRecorded(deps, parseCertificate(der));
  if (record === null) {
    return { identity: null, serialNumber: null, refusal: 'The certificate is none of the record.' };
  }
  const { serialNumber } = record;
  const [identity, line] = await Promise.all([
    deps.identities.identity(record.identity),
    deps.identities.instance(record.identity, record.instance),
  ]);
  if (identity === null) return { identity, serialNumber, refusal: SENTENCES['identity-deleted'] };
  const finding = await findRevocation(deps, identity.value, line?.value ?? null, record);
  const refusal =
    datesRefusal(record, deps.clock.now()) ??
    (finding === null ? lineRefusal(record, line?.value ?? null) : SENTENCES[finding]);
  return { identity: identity.value, serialNumber, refusal };
}

function datesRefusal({ notBefore, notAfter }: CertificateRecord, now: Date): string | null {
  if (now < notBefore) return 'The certificate is not valid yet.';
  return isEnded({ notAfter }, now) ? 'The certificate has expired.' : null;
}

/** Why a line no longer goes on with a certificate, as a proof by it would be told. */
function lineRefusal(record: CertificateRecord, line: Instance | null): string | null {
  // Of the vault's own every certificate counts until its end: its client picks up the newest one late.
  if (record.instance === VAULT_INSTANCE) return null;
  if (line === null) return 'The certificate belongs to no instance of the record.';
  if (line.lockedAt !== null) return 'The instance that the certificate belongs to is locked.';
  return placeInLine(line, record) === 'superseded' ? 'A newer certificate has replaced this one.' : null;
}

const SENTENCES: Readonly<Record<RevocationFinding, string>> = {
  'identity-revoked': 'The identity is revoked.',
  'identity-deleted': 'The identity was deleted.',
  'instance-revoked': 'The instance that the certificate belongs to is revoked.',
  'certificate-revoked': 'The certificate is revoked.',
  'rule-revoked': 'A revocation rule revokes it.',
};

function invalidAt(pointer: string, message: string): EverleafError {
  return new EverleafError('InvalidInput', message, { details: { pointer } });
}
