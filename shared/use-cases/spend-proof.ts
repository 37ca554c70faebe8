import { toHex } from '../domain/encoding.ts';
import { EverleafError } from '../domain/errors.ts';
import { MINUTE_MS } from '../domain/instants.ts';
import type { ProofId } from '../domain/proof-claims.ts';
import { sharedWindow } from '../domain/rate-window.ts';
import type { Deps } from './deps.ts';

/**
 * Takes a proof for the one request that it is good for: its uses are counted in the minute in which it was made, and the
 * first alone counts 1. The count goes with the others of old minutes (`removeOldFailures`), long after the proof is stale.
 * @param serialNumber of the certificate whose key signed it
 * @throws EverleafError InvalidProof with reason `replayed`
 */
export async function spendProof(
  deps: Pick<Deps, 'counters' | 'digest'>,
  serialNumber: string,
  { jti, madeAt }: ProofId,
): Promise<void> {
  const text = new TextEncoder().encode(`everleaf/spent-proof|${serialNumber}|${jti}`);
  const name = toHex(deps.digest.sha256(text)).slice(0, 32);
  if ((await deps.counters.add(name, sharedWindow(madeAt, MINUTE_MS))) === 1) return;
  throw new EverleafError(
    'InvalidProof',
    'The proof is not valid: it was used before, and a proof opens one request of an operator. Sign another one.',
    { details: { reason: 'replayed' } },
  );
}
