import type { CertificateRecord } from '../domain/identity.ts';
import type { Deps, Run } from './deps.ts';
import { ensureSuccessor, type Successor } from './ensure-successor.ts';
import { checkInForce, readStanding } from './proven-caller.ts';

/**
 * An agent's rotation: the token that its identity goes on with, for a proof of its certificate's key. Whether that
 * certificate still counts is asked once more with the transaction, so that a revocation, a lock, a newer certificate's
 * first use or the identity's being made again since the proof wins.
 * @param record the certificate whose key was proven
 * @throws EverleafError Revoked, Locked, Expired; what `ensureSuccessor` throws
 */
export function rotateWithProof(deps: Deps, run: Run, record: CertificateRecord): Promise<Successor> {
  return ensureSuccessor(deps, run, record.identity, {
    isCounted: true,
    check: async () => {
      const { identity, place } = await readStanding(deps, record);
      checkInForce(deps, identity.value, record, place);
    },
  });
}
