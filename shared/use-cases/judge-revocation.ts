import { isResponderEnding } from '../domain/responder.ts';
import type { Deps } from './deps.ts';
import type { Graded } from './judge-fleet.ts';
import { countOverdueCrls } from './read-crl.ts';
import { readResponders } from './renew-responders.ts';

/** What is wrong with what verifiers ask for: the revocation lists, and the responders that sign OCSP answers. */
export async function judgeRevocation(
  deps: Pick<Deps, 'crl' | 'fleet' | 'ocsp'>,
  now: Date,
): Promise<readonly Graded[]> {
  const [overdue, responders] = await Promise.all([countOverdueCrls(deps, now), readResponders(deps, now)]);
  return [
    {
      grade: 'critical',
      code: 'CrlOverdue',
      text: 'authorities have no revocation list that is good for another day',
      count: overdue,
    },
    {
      grade: 'warning',
      code: 'ResponderEnding',
      text: 'authorities have no OCSP responder for more than two days to come; verifiers that ask get no answer then',
      count: responders.filter((one) => isResponderEnding(one.authority, one.responder, now)).length,
    },
  ];
}
