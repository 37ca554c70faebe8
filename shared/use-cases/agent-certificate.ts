import type { CertificateHead, Identity } from '../domain/identity.ts';
import { withAgentCertificate } from '../domain/instance.ts';
import { type IdentityUpdate, moveDue } from './update-identity.ts';

/**
 * What changes in an identity's record when one of its agents is given a certificate, by a login or by a renewal: the
 * record has it, and its row in the due index moves to the moment when the agent should ask for the next. Both belong
 * into the transaction that records the certificate. A vault-delivered identity stays as it is: its own certificate is
 * the vault's.
 */
export function agentCertificateChanges(before: Identity, head: CertificateHead, now: Date): IdentityUpdate {
  if (before.delivery === 'vault') return { identity: before, changes: [] };
  const identity = withAgentCertificate(before, head, now);
  return moveDue(identity, 'certificate', head.renewAfter);
}
