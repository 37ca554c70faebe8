import { toBase64Url } from '../domain/encoding.ts';
import { EverleafError } from '../domain/errors.ts';
import { type ClaimDefect, findClaimDefect, proofId } from '../domain/proof-claims.ts';
import { readCertifiedJws } from '../pki/jws.ts';
import type { Deps, Run } from './deps.ts';
import { refusingProof, staleProof } from './invalid-proof.ts';
import { type Admission, admitProven, type ProvenCaller } from './proven-caller.ts';
import { spendProof } from './spend-proof.ts';

export interface ProofInput {
  /** Compact JWS, as it came; whatever it is. */
  readonly proof: string;
  /** Of the request: upper case. */
  readonly method: string;
  /** Of the request, from the first slash on, without a query. */
  readonly path: string;
  /** The body's bytes; null for a request without one. */
  readonly body: Uint8Array | null;
}

const SENTENCES: Readonly<Record<ClaimDefect, string>> = {
  'wrong-method': '"htm" is not the method of this request',
  'wrong-url': '"htu" is not the public base URL and path of this request',
  'wrong-body': '"body" is not the base64url SHA-256 of the bytes of this body',
  'no-id': '"jti" is no text of 1 to 128 characters',
  stale: '"iat" is more than five minutes away from the time here',
};

/**
 * Finds out who sends a request by the JWS that came with it, signed by the key of the certificate in its header.
 *
 * Everything that needs no look-up comes first, the signature last of it, so that nobody without a key makes the record
 * work. The certificate is found by its serial number and compared byte for byte; no path is ever built. Of proofs for
 * agents' own routes no list is kept: within its five minutes one can only ask for the same thing again, and everything
 * that is asked there may be asked twice. On operators' routes a proof counts once.
 * @throws EverleafError InvalidProof, with `serverTime` for a stale one; Revoked, Locked; Expired with reason
 *   `certificate-expired` or `certificate-superseded`
 */
export async function verifyProof(
  deps: Deps,
  run: Run,
  input: ProofInput,
  admission: Admission = { isRenewal: false },
): Promise<ProvenCaller> {
  const jws = refusingProof(() => readCertifiedJws(input.proof));
  const defect = findClaimDefect(
    jws.claims,
    {
      method: input.method,
      url: deps.site.publicBaseUrl + input.path,
      bodyHash: input.body === null ? null : toBase64Url(deps.digest.sha256(input.body)),
    },
    deps.clock.now(),
  );
  if (defect !== null) throw defectiveClaims(deps, defect);
  const caller = await admitProven(deps, run, jws, admission);
  if (admission.isSingleUse) await spendProof(deps, caller.record.serialNumber, proofId(jws.claims));
  return caller;
}

function defectiveClaims(deps: Pick<Deps, 'clock'>, reason: ClaimDefect): EverleafError {
  if (reason === 'stale') return staleProof(deps, SENTENCES.stale);
  return new EverleafError('InvalidProof', `The proof is not valid: ${SENTENCES[reason]}.`, {
    details: { reason },
  });
}
