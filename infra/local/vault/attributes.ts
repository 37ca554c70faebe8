import type { Attributes, Tags } from './model.ts';

/** Soft-deleted objects wait this long for their purge, unless somebody purges them before. */
export const RETENTION_DAYS = 90;

/** Attributes as every answer about a certificate, a key or a secret shows them. */
export function showAttributes(attributes: Attributes): Record<string, unknown> {
  const { enabled, nbf, exp, created, updated } = attributes;
  return {
    enabled,
    ...(nbf === null ? {} : { nbf }),
    ...(exp === null ? {} : { exp }),
    created,
    updated,
    recoveryLevel: 'Recoverable+Purgeable',
    recoverableDays: RETENTION_DAYS,
  };
}

export function showTags(tags: Tags | null): { tags?: Tags } {
  return tags === null ? {} : { tags };
}
