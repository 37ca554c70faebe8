import type { ActiveAuthority } from '../domain/authority.ts';
import type { CertificateHead, CertificateRecord, Identity } from '../domain/identity.ts';
import { earlier, toInstant } from '../domain/instants.ts';
import { identityText } from '../domain/names.ts';
import { renewalWindow } from '../domain/policy.ts';
import type { TokenRecord } from '../domain/token.ts';
import type { CertificateRequest } from '../pki/certificate-request.ts';
import { encodePem } from '../pki/pem.ts';
import { chainOf, readAuthorities } from './authorities.ts';
import type { Deps } from './deps.ts';
import { grantedNames, isClipped } from './issue-certificate.ts';

/** What a login or a renewal found or made, before it is put into words. */
export interface IssuedLogin {
  /** As it stands afterwards. */
  readonly identity: Identity;
  readonly record: CertificateRecord;
  readonly head: CertificateHead;
  readonly instance: string;
  readonly vault: { readonly certificateId: string; readonly secretId: string } | null;
  readonly warnings: readonly string[];
}

/** The answer of `POST /api/login` and `POST /api/certificates/renew`. */
export interface LoginAnswer {
  readonly identity: { readonly cluster: string; readonly name: string; readonly clientType: string };
  readonly instance: string;
  readonly certificate: string;
  readonly chain: string;
  readonly caBundle: string;
  readonly bundleId: string;
  readonly serialNumber: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly renewAfter: string;
  readonly renewCount: number;
  readonly token: { readonly expiresAt: string; readonly rotateAfter: string; readonly rotationDue: boolean };
  readonly warnings: readonly string[];
  readonly vault?: { readonly certificateId: string; readonly secretId: string };
}

/**
 * Puts an issued certificate into words.
 * @param token the one that the agent was seen to have, or else the newest
 */
export async function describeLogin(
  deps: Pick<Deps, 'fleet' | 'clock'>,
  token: Pick<TokenRecord, 'id' | 'issuedAt' | 'expiresAt'>,
  login: IssuedLogin,
): Promise<LoginAnswer> {
  const { identity } = login;
  const { all, bundle } = await readAuthorities(deps);
  const chain = chainOf(all, login.record.authorityId, deps.clock.now());
  const { renewAfter: rotateAfter } = renewalWindow(token.issuedAt, token.expiresAt, token.id);
  return {
    identity: { cluster: identity.cluster, name: identity.name, clientType: identity.clientType },
    instance: login.instance,
    certificate: encodePem('CERTIFICATE', login.record.der),
    chain: chain.map((der) => encodePem('CERTIFICATE', der)).join(''),
    caBundle: bundle.pem,
    bundleId: bundle.id,
    serialNumber: login.head.serialNumber,
    notBefore: toInstant(login.head.notBefore),
    notAfter: toInstant(login.head.notAfter),
    renewAfter: toInstant(renewAfter(identity, login.head, deps.clock.now())),
    renewCount: login.head.renewCount,
    token: {
      expiresAt: toInstant(token.expiresAt),
      rotateAfter: toInstant(rotateAfter),
      rotationDue: rotateAfter <= deps.clock.now(),
    },
    warnings: login.warnings,
    ...(login.vault === null ? {} : { vault: login.vault }),
  };
}

/** While an operator's wish for a new certificate stands, every answer asks the agent for it at once. */
function renewAfter(identity: Identity, head: CertificateHead, now: Date): Date {
  return isRenewalAsked(identity) ? earlier(head.renewAfter, now) : head.renewAfter;
}

/** Whether an operator wishes for an agent's next certificate and has not got it yet. */
export function isRenewalAsked({ delivery, certificate }: Identity): boolean {
  return delivery === 'agent' && certificate.forcedAt !== null;
}

/** What whoever asked should know of a certificate that is not all that it might have been. */
export function warningsOf(
  deps: Pick<Deps, 'policy'>,
  identity: Identity,
  request: CertificateRequest,
  record: CertificateRecord,
  authority: ActiveAuthority,
): string[] {
  const warnings = grantedNames(identity, request).refused.map(
    (name) => `The name "${name}" is left out: ${identityText(identity)} is not allowed to carry it.`,
  );
  if (isClipped(deps, record, authority)) {
    warnings.push('The certificate ends earlier than usual, together with the authority that signed it.');
  }
  return warnings;
}
