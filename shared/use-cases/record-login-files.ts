import type { Identity } from '../domain/identity.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';

/** Events of one transaction, of which Table storage takes 100 rows. */
const BATCH = 100;

/**
 * Writes down that the login files of these identities are given out, one event for each: to be called before the answer
 * leaves, so that nobody is ever given a token without a trace of it.
 * @param identities all of one cluster
 */
export async function recordLoginFiles(
  deps: Pick<Deps, 'identities' | 'clock' | 'random'>,
  run: Run,
  cluster: string,
  identities: readonly Identity[],
): Promise<void> {
  for (let start = 0; start < identities.length; start += BATCH) {
    const events = identities.slice(start, start + BATCH).map((identity) =>
      eventChange(deps, run, 'login-file-issued', identity, {
        details: { generation: identity.token.generation },
      }),
    );
    await deps.identities.commit(cluster, events);
  }
}
