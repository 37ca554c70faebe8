import { EverleafError } from '../domain/errors.ts';
import type { CertificateRecord, Identity } from '../domain/identity.ts';
import { identityText } from '../domain/names.ts';
import type { Deps, Run } from './deps.ts';
import { findRuleOf } from './find-revocation.ts';
import { revokeCertificate } from './revoke.ts';

/**
 * Refuses a certificate that a rule revokes which was made while it was being issued. A rule belongs to no identity, so no
 * identity's transaction can fail because of it: whoever has recorded a certificate looks once more before it is handed
 * out. What nobody was given is revoked by its serial number, and stays so when the rule is taken back.
 * @throws EverleafError Revoked
 */
export async function refuseRuled(
  deps: Deps,
  run: Run,
  identity: Identity,
  certificate: CertificateRecord,
): Promise<void> {
  const rules = await deps.revocationRules.all();
  if (findRuleOf(rules, identity, certificate) === null) return;
  await revokeCertificate(deps, run, identity, certificate.serialNumber, 'privilegeWithdrawn');
  throw new EverleafError(
    'Revoked',
    `A rule revokes the certificate that ${identityText(identity)} was to get.`,
    { details: { reason: 'rule-revoked' } },
  );
}
