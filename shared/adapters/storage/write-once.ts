import { codeOf } from './errors.ts';

/**
 * What the service says to If-None-Match: * where there is a blob, also under a policy
 * (https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes).
 */
const ALREADY_THERE = new Set(['BlobAlreadyExists', 'BlobImmutableDueToPolicy', 'ConditionNotMet']);

/** Whether a write was refused because there is a blob of that name. */
export function isAlreadyThere(error: unknown): boolean {
  return ALREADY_THERE.has(codeOf(error) ?? '');
}
