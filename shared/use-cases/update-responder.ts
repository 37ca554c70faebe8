import { isEverleafError } from '../domain/errors.ts';
import type { Responder } from '../domain/responder.ts';
import type { Deps } from './deps.ts';

/** Changes what is known of an authority's responders, again when somebody else was faster. */
export async function updateResponder(
  deps: Pick<Deps, 'ocsp'>,
  authorityId: string,
  change: (responder: Responder) => Responder,
): Promise<Responder> {
  for (;;) {
    const stored = await deps.ocsp.responder(authorityId);
    const before = stored?.value ?? { v: 1, authorityId, attempt: null, certificates: [] };
    const value = change(before);
    if (value === before) return value;
    try {
      if (stored === null) await deps.ocsp.insertResponder(value);
      else await deps.ocsp.replaceResponder(value, stored.etag);
      return value;
    } catch (error) {
      if (!isEverleafError(error, 'Conflict', 'AlreadyExists')) throw error;
    }
  }
}
