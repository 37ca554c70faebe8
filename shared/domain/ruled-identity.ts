import type { CredentialKind, Identity } from './identity.ts';
import type { Instance } from './instance.ts';
import { addMs, earlier, SECOND_MS, wholeSecond } from './instants.ts';
import { type CertificateRevocation, findRule, type RevocationRule } from './revocation.ts';

const KINDS = ['certificate', 'token'] as const;

/** Whether a rule revokes an identity's newest certificate or token. */
export function isRuledOut(
  identity: Identity,
  kind: CredentialKind,
  rules: readonly RevocationRule[],
): boolean {
  const issuedAt = kind === 'token' ? identity.token.issuedAt : identity.certificate.head?.issuedAt;
  return issuedAt !== undefined && findRule(rules, identity, issuedAt) !== null;
}

/**
 * The credentials of a vault-delivered identity that a rule revokes, and that the next scan is to replace. None while a
 * rule would revoke what comes after them as well, nor where an operator's wish for the next ones stands already.
 */
export function kindsToReplace(
  identity: Identity,
  rules: readonly RevocationRule[],
  now: Date,
): readonly CredentialKind[] {
  const isOver = identity.revokedAt !== null || findRule(rules, identity, wholeSecond(now)) !== null;
  if (identity.delivery !== 'vault' || isOver) return [];
  return KINDS.filter((kind) => identity[kind].forcedAt === null && isRuledOut(identity, kind, rules));
}

/**
 * An identity as the rules leave it, for whoever judges it: revoked where a rule revokes what it has and what it would get,
 * with its replacements due where Everleaf makes them, and without what its agent can use no more.
 */
export function identityUnderRules(
  identity: Identity,
  rules: readonly RevocationRule[],
  now: Date,
): Identity {
  const barred = findRule(rules, identity, wholeSecond(now));
  if (barred !== null && identity.revokedAt === null) {
    return { ...identity, revokedAt: barred.createdAt, revocationReason: barred.reason };
  }
  const { certificate, token } = identity;
  if (identity.delivery === 'vault') {
    const kinds = kindsToReplace(identity, rules, now);
    return {
      ...identity,
      certificate: kinds.includes('certificate')
        ? { ...certificate, forcedAt: now, failure: null }
        : certificate,
      token: kinds.includes('token') ? { ...token, forcedAt: now, failure: null } : token,
    };
  }
  const over = addMs(wholeSecond(now), -SECOND_MS);
  return {
    ...identity,
    certificate: isRuledOut(identity, 'certificate', rules) ? { ...certificate, head: null } : certificate,
    token: isRuledOut(identity, 'token', rules)
      ? { ...token, expiresAt: earlier(token.expiresAt, over) }
      : token,
  };
}

/** The certificates of an identity's lines that a rule revokes, as if each were revoked by its serial number. */
export function ruledCertificates(
  identity: Identity,
  lines: readonly Instance[],
  rules: readonly RevocationRule[],
): readonly Pick<CertificateRevocation, 'serialNumber' | 'spkiHash' | 'reason'>[] {
  return lines
    .flatMap(({ head, spkiHash, successor }) => [
      { ...head, spkiHash },
      ...(successor === null ? [] : [successor]),
    ])
    .filter(({ issuedAt }) => findRule(rules, identity, issuedAt) !== null)
    .map(({ serialNumber, spkiHash }) => ({ serialNumber, spkiHash, reason: 'unspecified' }));
}
