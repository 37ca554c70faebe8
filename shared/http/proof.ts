import { EverleafError } from '../domain/errors.ts';
import type { Admission, ProvenCaller } from '../use-cases/proven-caller.ts';
import { verifyProof } from '../use-cases/verify-proof.ts';
import type { Call } from './handle.ts';

/** The header that an agent's proof comes in. */
const PROOF_HEADER = 'x-everleaf-proof';

/** Whether a request brings a proof in its header. */
export function hasProof({ request }: Pick<Call, 'request'>): boolean {
  return request.headers.has(PROOF_HEADER);
}

/**
 * Who sends a request, by the JWS in its header.
 * @param body the bytes of the body; null for GET, which has none
 * @throws EverleafError NoAuthenticationInformation without the header; what `verifyProof` throws
 */
export async function proveCaller(
  { app, request, run }: Pick<Call, 'app' | 'request' | 'run'>,
  body: Uint8Array | null,
  admission?: Admission,
): Promise<ProvenCaller> {
  const proof = request.headers.get(PROOF_HEADER);
  if (proof === null) {
    throw new EverleafError(
      'NoAuthenticationInformation',
      'Send a proof of the key of the certificate in the header X-Everleaf-Proof.',
    );
  }
  const path = new URL(request.url).pathname;
  return verifyProof(app.deps, run, { proof, method: request.method, path, body }, admission);
}
