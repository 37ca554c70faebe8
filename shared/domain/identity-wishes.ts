import { EverleafError } from './errors.ts';
import type { IdentityWishes } from './identity.ts';
import { DAY_MS, HOUR_MS, SECOND_MS } from './instants.ts';
import { isDnsName } from './names.ts';

/** Shorter, and a scan of every quarter of an hour could come too late for its window. */
export const MIN_TOKEN_EXPIRY_SECONDS = HOUR_MS / SECOND_MS;
/** The longest that the setting TOKEN_VALIDITY_DAYS can give. */
export const MAX_TOKEN_EXPIRY_SECONDS = (365 * DAY_MS) / SECOND_MS;
/** Whoever needs more logins than this needs no limit. */
export const MAX_TOKEN_USES = 10_000;
/** A certificate request may name no more. */
export const MAX_DNS_NAMES = 20;

/**
 * What an operator wants of an identity, checked and in one spelling: DNS names in lower case, each once.
 * @throws EverleafError InvalidInput, which names the field
 */
export function checkWishes(wishes: IdentityWishes): IdentityWishes {
  const { tokenExpiryInSeconds, tokenMaxUses, dnsNames } = wishes;
  if (
    tokenExpiryInSeconds !== undefined &&
    !isWithin(tokenExpiryInSeconds, MIN_TOKEN_EXPIRY_SECONDS, MAX_TOKEN_EXPIRY_SECONDS)
  ) {
    throw invalid(
      'tokenExpiryInSeconds',
      `is a whole number from ${MIN_TOKEN_EXPIRY_SECONDS} to ${MAX_TOKEN_EXPIRY_SECONDS}`,
    );
  }
  if (tokenMaxUses !== undefined && tokenMaxUses !== null && !isWithin(tokenMaxUses, 1, MAX_TOKEN_USES)) {
    throw invalid('tokenMaxUses', `is a whole number from 1 to ${MAX_TOKEN_USES}, or null for no limit`);
  }
  if (dnsNames === undefined) return wishes;
  const names = [...new Set(dnsNames.map((name) => name.toLowerCase()))];
  if (names.length > MAX_DNS_NAMES) throw invalid('dnsNames', `has ${MAX_DNS_NAMES} names at most`);
  if (!names.every(isDnsName)) {
    throw invalid('dnsNames', 'has host names (RFC 1123, 2.1) without wildcards, and one of these is none');
  }
  return { ...wishes, dnsNames: names };
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function invalid(field: string, rule: string): EverleafError {
  return new EverleafError('InvalidInput', `"${field}" ${rule}.`, { details: { pointer: `/${field}` } });
}
