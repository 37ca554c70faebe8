import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/**
 * The key of a call: header `x-functions-key`, else query member `code`
 * (src/WebJobs.Script.WebHost/Security/Authentication/Keys/AuthenticationLevelHandler.cs in azure-functions-host).
 * This host has one key, the master key; the real one has function and host keys besides.
 */
export function hasMasterKey(request: IncomingMessage, masterKey: string): boolean {
  const header = request.headersDistinct['x-functions-key']?.[0];
  const given = header ?? new URLSearchParams(request.url?.split('?')[1] ?? '').get('code');
  return given !== null && timingSafeEqual(digest(given), digest(masterKey));
}

/** Equal lengths for timingSafeEqual. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
