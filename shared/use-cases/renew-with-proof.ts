import { EverleafError } from '../domain/errors.ts';
import { identityText } from '../domain/names.ts';
import { checkCertificateRequest, parseCertificateRequest } from '../pki/certificate-request.ts';
import type { Deps, Run } from './deps.ts';
import { describeLogin, type LoginAnswer } from './login-answer.ts';
import { type ProvenCaller, runAs } from './proven-caller.ts';
import { renewLine } from './renew-line.ts';
import { verifyRenewalRequest } from './verify-renewal-request.ts';

export interface RenewalInput {
  /** PEM of a certificate request, for the same key or another. */
  readonly csr: string;
  /** The trust bundle that the agent holds; null when it does not say. */
  readonly bundleId: string | null;
  /** Who sent the proof beside the request; null when the proof is inside the request. */
  readonly caller: ProvenCaller | null;
}

/**
 * Renews an agent's certificate with proof of its key: a successor that is issued by today's policy and profile, never
 * by what the old certificate had, and that takes the old one's place with its own first proof. Asking again, with the
 * same key or another, costs nothing while the successor is unused.
 * @throws EverleafError NoAuthenticationInformation, InvalidProof, Revoked, Locked; Expired for a certificate that ended
 *   too long ago, that was recovered too often, or that another one has replaced; InvalidInput for the vault's own line;
 *   InvalidCertificateRequest; TooManyRequests; InProgress while an equal request is being answered; NotReady; AuthorityEnding
 */
export async function renewWithProof(deps: Deps, run: Run, input: RenewalInput): Promise<LoginAnswer> {
  const request = parseCertificateRequest(input.csr);
  const caller = input.caller ?? (await verifyRenewalRequest(deps, run, request));
  const { identity, instance, record } = caller;
  if (instance === null) {
    throw new EverleafError(
      'InvalidInput',
      `The certificate of ${identityText(identity)} is renewed in the vault, by itself. Read the newest version there.`,
    );
  }
  checkCertificateRequest(request, { identityName: identity.name });
  const issued = await renewLine(deps, runAs(run, identity), record, request, input.bundleId);
  return describeLogin(deps, issued.identity.token, issued, input.bundleId);
}
