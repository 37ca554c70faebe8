import { EverleafError } from '../domain/errors.ts';
import { type CertificateRecord, type Identity, isCutOverPending } from '../domain/identity.ts';
import { identityText } from '../domain/names.ts';
import type { Deps, Run } from './deps.ts';
import { ensureSuccessor, type Successor } from './ensure-successor.ts';
import { checkInForce, readStanding } from './proven-caller.ts';

/**
 * An agent's rotation: the token that its identity goes on with, for a proof of its certificate's key. Whether that
 * certificate still counts is asked once more with the transaction, so that a revocation, a lock, a newer certificate's
 * first use or the identity's being made again since the proof wins.
 *
 * After a cut-over the next token goes to whom the operator brings it: the thief that it was made against may hold a
 * certificate of the identity as well, and must neither learn that token nor take its place.
 * @param record the certificate whose key was proven
 * @throws EverleafError Revoked, Locked, Expired; AccessDenied with reason `cut-over-pending`; what `ensureSuccessor` throws
 */
export function rotateWithProof(deps: Deps, run: Run, record: CertificateRecord): Promise<Successor> {
  return ensureSuccessor(deps, run, record.identity, {
    isCounted: true,
    check: async (current) => {
      const { identity, place } = await readStanding(deps, record);
      checkInForce(deps, identity.value, record, place);
      assertNoCutOver(current);
    },
  });
}

function assertNoCutOver(identity: Identity): void {
  if (!isCutOverPending(identity.token)) return;
  throw new EverleafError(
    'AccessDenied',
    `An operator has ended every token of ${identityText(identity)} and brings the next one in a login file. Log in with ` +
      'that one first.',
    { details: { reason: 'cut-over-pending' } },
  );
}
