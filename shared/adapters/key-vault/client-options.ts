import type { VaultPolicy } from './watched-calls.ts';

/** Times a client asks again after 429, 5xx or a lost connection before it gives up; Retry-After is honoured. */
const MAX_RETRIES = 4;

/**
 * Options for the clients of one vault. A vault on this machine speaks plain http and its host is no part of the
 * challenge's domain; both are accepted for a loopback address alone, which the settings have checked.
 * @param policies what stands in the clients' pipelines beside their own
 */
export function vaultClientOptions(vaultUrl: string, policies: readonly VaultPolicy[] = []) {
  const isLocal = new URL(vaultUrl).protocol === 'http:';
  return {
    retryOptions: { maxRetries: MAX_RETRIES },
    additionalPolicies: [...policies],
    ...(isLocal ? { allowInsecureConnection: true, disableChallengeResourceVerification: true } : {}),
  };
}
