import { createRemoteJWKSet, type JWTVerifyGetKey } from 'jose';
import { EverleafError } from '../domain/errors.ts';
import { addMs, HOUR_MS, MINUTE_MS, SECOND_MS } from '../domain/instants.ts';
import type { Clock } from '../ports/clock.ts';

/** How long a discovery document is gone by: an issuer that moves its keys elsewhere is followed after that. */
const FRESH_MS = HOUR_MS;
/** While the document cannot be read again, what it said goes on; so long until the next try. */
const RETRY_MS = MINUTE_MS;
const TIMEOUT_MS = 10 * SECOND_MS;

interface Known {
  readonly location: string;
  readonly keys: JWTVerifyGetKey;
  readonly until: Date;
}

/**
 * The keys of an OpenID issuer, from where its discovery document says, which is read again after an hour. New keys at
 * the same place are found by themselves.
 * @param issuer to the letter as the document must name it (OpenID Connect Discovery 1.0, 4.3)
 * @returns a function that throws EverleafError IdentityProviderUnavailable while nothing was ever read
 */
export function issuerKeys(issuer: string, clock: Pick<Clock, 'now'>): () => Promise<JWTVerifyGetKey> {
  let known: Known | null = null;
  let reading: Promise<Known> | null = null;
  const read = async (): Promise<Known> => {
    try {
      const location = await discover(issuer);
      const keys = known?.location === location ? known.keys : createRemoteJWKSet(new URL(location));
      known = { location, keys, until: addMs(clock.now(), FRESH_MS) };
    } catch (error) {
      // The next caller tries again: one failed look-up must not lock every operator out.
      if (known === null) throw keysUnavailable(error);
      known = { ...known, until: addMs(clock.now(), RETRY_MS) };
    }
    return known;
  };
  return async () => {
    if (known !== null && clock.now() < known.until) return known.keys;
    reading ??= read().finally(() => {
      reading = null;
    });
    return (await reading).keys;
  };
}

/** Who cannot tell whether a token is genuine refuses it for now. */
export function keysUnavailable(cause: unknown): EverleafError {
  return new EverleafError(
    'IdentityProviderUnavailable',
    "The issuer's keys cannot be read. Try again later.",
    { cause, details: { cause: String(cause) }, retryable: true, retryAfterSeconds: 10 },
  );
}

async function discover(issuer: string): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (answer.status !== 200) throw new Error(`${url} answers ${answer.status}`);
  const document = (await answer.json()) as { issuer?: unknown; jwks_uri?: unknown } | null;
  if (document?.issuer !== issuer) throw new Error(`${url} is not the document of ${issuer}`);
  const { jwks_uri: location } = document;
  if (typeof location !== 'string' || !isTrustworthy(location, issuer)) {
    throw new Error(`${url} names no jwks_uri with https`);
  }
  return location;
}

/** The settings take an issuer with plain http on this machine alone; its keys may come from the same machine. */
function isTrustworthy(location: string, issuer: string): boolean {
  if (!URL.canParse(location)) return false;
  const { protocol, hostname } = new URL(location);
  const own = new URL(issuer);
  return (
    protocol === 'https:' || (protocol === 'http:' && own.protocol === 'http:' && hostname === own.hostname)
  );
}
