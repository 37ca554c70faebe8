import type { AppSettings } from './app-settings.ts';

// https://learn.microsoft.com/azure/azure-functions/functions-app-settings#functions_request_body_size_limit
const DEFAULT_BYTES = 104_857_600;

/**
 * FUNCTIONS_REQUEST_BODY_SIZE_LIMIT in bytes.
 * @throws Error when it is set and not a positive whole number
 */
export function bodySizeLimit(settings: AppSettings): number {
  const text = settings.get('FUNCTIONS_REQUEST_BODY_SIZE_LIMIT') ?? '';
  if (text === '') return DEFAULT_BYTES;
  const bytes = Number(text);
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new Error(
    `FUNCTIONS_REQUEST_BODY_SIZE_LIMIT must be a positive whole number of bytes, but is "${text}".`,
  );
}
