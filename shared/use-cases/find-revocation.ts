import { EverleafError } from '../domain/errors.ts';
import type { CertificateRecord, Identity } from '../domain/identity.ts';
import type { Instance } from '../domain/instance.ts';
import { wholeSecond } from '../domain/instants.ts';
import { identityText } from '../domain/names.ts';
import { findRule, isCertificateRevoked, type RevocationRule } from '../domain/revocation.ts';
import { judgeToken, type TokenRecord, type TokenVerdict } from '../domain/token.ts';
import { dnsNamesOf } from '../pki/certificate-names.ts';
import type { Deps } from './deps.ts';

/** Why a certificate counts for nothing, whatever its dates say. */
export type RevocationFinding =
  | 'identity-revoked'
  | 'identity-deleted'
  | 'instance-revoked'
  | 'certificate-revoked'
  | 'rule-revoked';

/**
 * Whether a certificate of the record is revoked, and by what. Everybody who accepts a certificate asks this. Reads the
 * same rows whatever the answer is.
 * @param instance the line that the certificate belongs to; null for the vault's own
 */
export async function findRevocation(
  deps: Pick<Deps, 'identities' | 'revocationRules'>,
  identity: Identity,
  instance: Instance | null,
  certificate: CertificateRecord,
): Promise<RevocationFinding | null> {
  const [revocations, rules] = await Promise.all([
    deps.identities.revocations(identity),
    deps.revocationRules.all(),
  ]);
  if (identity.deletedAt !== null) return 'identity-deleted';
  if (identity.revokedAt !== null) return 'identity-revoked';
  const incarnation = Math.min(certificate.incarnation, instance?.incarnation ?? certificate.incarnation);
  if (incarnation < identity.incarnation) return 'identity-deleted';
  if (instance !== null && instance.revokedAt !== null) return 'instance-revoked';
  if (isCertificateRevoked(revocations, certificate)) return 'certificate-revoked';
  return findRuleOf(rules, identity, certificate) === null ? null : 'rule-revoked';
}

/** The first rule that revokes a certificate, also by a DNS name that it carries and its identity has lost. */
export function findRuleOf(
  rules: readonly RevocationRule[],
  identity: Identity,
  { issuedAt, der }: Pick<CertificateRecord, 'issuedAt' | 'der'>,
): RevocationRule | null {
  const carried = rules.some(({ dnsName }) => dnsName !== null) ? dnsNamesOf(der) : [];
  return findRule(rules, identity, issuedAt, carried);
}

/**
 * Whether all credentials of an identity are revoked, those that it would get now too, and by what. Reads the same rows
 * whatever the answer is.
 */
export async function findIdentityRevocation(
  deps: Pick<Deps, 'clock' | 'revocationRules'>,
  identity: Identity,
): Promise<'identity-revoked' | 'identity-deleted' | 'rule-revoked' | null> {
  const rules = await deps.revocationRules.all();
  if (identity.deletedAt !== null) return 'identity-deleted';
  if (identity.revokedAt !== null) return 'identity-revoked';
  return findRule(rules, identity, wholeSecond(deps.clock.now())) === null ? null : 'rule-revoked';
}

/**
 * Refuses to make credentials for an identity that is revoked, or whose next credential a rule would revoke at once.
 * @throws EverleafError NotFound for a deleted one; Revoked
 */
export async function assertIssuable(
  deps: Pick<Deps, 'clock' | 'revocationRules'>,
  identity: Identity,
): Promise<void> {
  const reason = await findIdentityRevocation(deps, identity);
  if (reason === null) return;
  if (reason === 'identity-deleted') {
    throw new EverleafError('NotFound', `There is no identity ${identityText(identity)} any more.`);
  }
  const what = reason === 'rule-revoked' ? 'a rule revokes it' : 'the identity is revoked';
  throw new EverleafError('Revoked', `Cannot make credentials for ${identityText(identity)}: ${what}.`, {
    details: { reason },
  });
}

/**
 * Whether a genuine token may log its identity in now: `judgeToken`, and the rules. Reads the same rows whatever the
 * answer is. A rule that would revoke what the login gets refuses the login.
 */
export async function judgeLogin(
  deps: Pick<Deps, 'clock' | 'revocationRules'>,
  token: TokenRecord,
  identity: Identity,
): Promise<TokenVerdict> {
  const rules = await deps.revocationRules.all();
  const now = deps.clock.now();
  const verdict = judgeToken(token, identity, now);
  if (!verdict.valid && verdict.code === 'Revoked') return verdict;
  const rule = findRule(rules, identity, token.issuedAt) ?? findRule(rules, identity, wholeSecond(now));
  return rule === null ? verdict : { valid: false, code: 'Revoked', reason: 'rule-revoked' };
}
