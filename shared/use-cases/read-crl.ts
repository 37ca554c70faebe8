import { isFinished } from '../domain/authority.ts';
import { type CrlState, isCrlOverdue, type PublishedCrl } from '../domain/crl.ts';
import { EverleafError } from '../domain/errors.ts';
import { revocationUrls } from '../domain/revocation-urls.ts';
import type { Deps } from './deps.ts';

/** An authority's list as it is served. */
export interface ServedCrl {
  readonly published: PublishedCrl;
  /** DER. @throws EverleafError NotReady when the file is gone; the timer makes the next one */
  read(): Promise<Uint8Array>;
}

/**
 * The list of an authority: one point read, however long it is and however often it is asked for; the file is read when it
 * is wanted, and remembered.
 * @throws EverleafError NotFound for an authority that has none
 */
export async function readCrl(deps: Pick<Deps, 'crl' | 'crlFiles'>, authorityId: string): Promise<ServedCrl> {
  const published = (await deps.crl.state(authorityId))?.value.published ?? null;
  if (published === null) {
    throw new EverleafError('NotFound', 'There is no authority of this name with a revocation list.');
  }
  return {
    published,
    read: async () => {
      const der = await deps.crlFiles.get(authorityId, published.number);
      if (der !== null) return der;
      throw new EverleafError('NotReady', 'The revocation list was replaced just now. Try again.', {
        retryable: true,
        retryAfterSeconds: 5,
      });
    },
  };
}

/**
 * An authority's own certificate, DER, whatever became of the authority.
 * @throws EverleafError NotFound
 */
export async function readAuthorityCertificate(
  deps: Pick<Deps, 'fleet'>,
  authorityId: string,
): Promise<Uint8Array> {
  const stored = await deps.fleet.authority(authorityId);
  if (stored === null || !isFinished(stored.value)) {
    throw new EverleafError('NotFound', 'There is no authority of this name.');
  }
  return stored.value.certificate;
}

/** What operators are told of an authority's list. */
export interface CrlInfo extends Pick<PublishedCrl, 'thisUpdate' | 'nextUpdate' | 'entries'> {
  /** Decimal digits: X.509 lets it be longer than a number can be. */
  readonly number: string;
  readonly url: string;
}

/** The lists that are served, by the ids of their authorities. */
export async function readCrlInfo(deps: Pick<Deps, 'crl' | 'site'>): Promise<ReadonlyMap<string, CrlInfo>> {
  const states = await deps.crl.states();
  return new Map(
    states.flatMap(({ authorityId, published }) => {
      if (published === null) return [];
      const { number, thisUpdate, nextUpdate, entries } = published;
      const url = revocationUrls(deps.site.revocationBaseUrl, authorityId).crl;
      return [[authorityId, { number: String(number), thisUpdate, nextUpdate, entries, url }]];
    }),
  );
}

/** How many authorities' verifiers are about to be without a list. */
export async function countOverdueCrls(deps: Pick<Deps, 'crl' | 'fleet'>, now: Date): Promise<number> {
  const [all, states] = await Promise.all([deps.fleet.authorities(), deps.crl.states()]);
  return all.filter((authority) => isCrlOverdue(authority, publishedOf(states, authority.id), now)).length;
}

export function publishedOf(states: readonly CrlState[], authorityId: string): PublishedCrl | null {
  return states.find((each) => each.authorityId === authorityId)?.published ?? null;
}
