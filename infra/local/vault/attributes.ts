import type { Attributes, Tags } from './model.ts';
import type { Vault } from './request.ts';

/** How long soft-deleted objects wait for their purge when a vault is not made otherwise (7 to 90 days). */
export const DEFAULT_RETENTION_DAYS = 90;

/** Attributes as every answer about a certificate, a key or a secret shows them. */
export function showAttributes(vault: Vault, attributes: Attributes): Record<string, unknown> {
  const { enabled, nbf, exp, created, updated } = attributes;
  return {
    enabled,
    ...(nbf === null ? {} : { nbf }),
    ...(exp === null ? {} : { exp }),
    created,
    updated,
    recoveryLevel: recoveryLevel(vault),
    recoverableDays: vault.retentionDays,
  };
}

/** The words of the service's deletionRecoveryLevel (REST reference, "DeletionRecoveryLevel"). */
function recoveryLevel({ retentionDays, purgeProtection }: Vault): string {
  const recoverable = retentionDays < DEFAULT_RETENTION_DAYS ? 'CustomizedRecoverable' : 'Recoverable';
  return purgeProtection ? recoverable : `${recoverable}+Purgeable`;
}

export function showTags(tags: Tags | null): { tags?: Tags } {
  return tags === null ? {} : { tags };
}
