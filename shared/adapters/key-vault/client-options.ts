/** Times a client asks again after 429, 5xx or a lost connection before it gives up; Retry-After is honoured. */
const MAX_RETRIES = 4;

/**
 * Options for the clients of one vault. A vault on this machine speaks plain http and its host is no part of the
 * challenge's domain; both are accepted for a loopback address alone, which the settings have checked.
 */
export function vaultClientOptions(vaultUrl: string) {
  const isLocal = new URL(vaultUrl).protocol === 'http:';
  return {
    retryOptions: { maxRetries: MAX_RETRIES },
    ...(isLocal ? { allowInsecureConnection: true, disableChallengeResourceVerification: true } : {}),
  };
}
