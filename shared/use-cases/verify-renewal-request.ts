import { EverleafError } from '../domain/errors.ts';
import { DAY_MS } from '../domain/instants.ts';
import type { CertificateRequest } from '../pki/certificate-request.ts';
import { readRenewalProof } from '../pki/renewal-request.ts';
import type { Deps, Run } from './deps.ts';
import { refusingProof, staleProof } from './invalid-proof.ts';
import { admitProven, type ProvenCaller } from './proven-caller.ts';

/** How far from now the old key may have vouched for the new one: the cloud agent's form has no other freshness. */
const FRESH_MS = DAY_MS;

/**
 * Finds out who asks for a renewal by the proof inside the request, in the cloud agent's form. It is good for the key of
 * this request alone, so sending it again can only ask for the same certificate again.
 * @throws EverleafError NoAuthenticationInformation when the request holds none; InvalidProof, with `serverTime` for a
 *   stale one; Revoked, Locked
 */
export async function verifyRenewalRequest(
  deps: Deps,
  run: Run,
  request: CertificateRequest,
): Promise<ProvenCaller> {
  const proof = refusingProof(() => readRenewalProof(request));
  if (proof === null) {
    throw new EverleafError(
      'NoAuthenticationInformation',
      'Prove the key of the certificate to renew: in the header X-Everleaf-Proof, or inside the request by the extension ' +
        '1.3.6.1.4.1.311.104.1.1.',
    );
  }
  if (Math.abs(deps.clock.now().getTime() - proof.madeAt.getTime()) > FRESH_MS) {
    throw staleProof(
      deps,
      'the certificate of the new key begins more than 24 hours away from the time here',
    );
  }
  const { certificate, verify } = proof;
  return admitProven(deps, run, { certificate, verify: () => refusingProof(verify) }, { isRenewal: true });
}
