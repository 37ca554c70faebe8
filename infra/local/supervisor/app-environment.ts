/** The settings of the product on one machine: what App Service would hand to the app in Azure, and no more. */
import type { StorageEndpoints } from '../storage/storage.ts';
import type { EnvironmentConfig } from './environment-config.ts';

/** The audience of operators' tokens, as the app registration in Azure names it. */
export const API_AUDIENCE = 'api://everleaf';
/** The audience of Key Vault's data plane. */
export const VAULT_AUDIENCE = 'https://vault.azure.net';

export const DEFAULT_TRUST_DOMAIN = 'everleaf.local';

export interface Surroundings {
  readonly config: EnvironmentConfig;
  readonly baseUrl: string;
  readonly storage: StorageEndpoints;
  readonly identity: { readonly issuer: string; readonly msiEndpoint: string };
  readonly vaults: { readonly authority: string; readonly clients: string };
  /** Whom backups are encrypted for. */
  readonly backupRecipient: string;
  /** Where faults of the vault stand-in are ordered and its audit log is read. */
  readonly faultsUrl: string;
}

/**
 * @param policy the developer's own settings; they win over the defaults here
 * @param machine PATH and the like
 */
export function appEnvironment(
  { config, baseUrl, storage, identity, vaults, backupRecipient }: Surroundings,
  policy: Readonly<Record<string, string>>,
  machine: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    ...machine,
    IDENTITY_ENDPOINT: identity.msiEndpoint,
    IDENTITY_HEADER: config.identityHeader,
    AZURE_CLIENT_ID: config.clientId,
    AUTHORITY_VAULT_URL: vaults.authority,
    CLIENT_VAULT_URL: vaults.clients,
    RECORD_STORAGE: storage.connectionString,
    AzureWebJobsStorage: storage.connectionString,
    OPERATOR_ISSUER: identity.issuer,
    OPERATOR_AUDIENCE: API_AUDIENCE,
    OPERATOR_TENANT_ID: config.tenantId,
    PUBLIC_BASE_URL: baseUrl,
    TRUST_DOMAIN: DEFAULT_TRUST_DOMAIN,
    CLOUD_FQDN: 'localhost',
    RENEW_DUE_SCHEDULE: '0 */15 * * * *',
    RECONCILE_SCHEDULE: '0 30 2 * * *',
    AUDIT_SEAL_SCHEDULE: '0 */5 * * * *',
    ROLL_AUTHORITY_SCHEDULE: '0 0 1 * * *',
    PUBLISH_CRL_SCHEDULE: '0 15 */6 * * *',
    RENEW_RESPONDERS_SCHEDULE: '0 20 * * * *',
    BACKUP_SCHEDULE: '0 30 3 * * *',
    WATCH_FLEET_SCHEDULE: '0 10,40 * * * *',
    BACKUP_RECIPIENTS: backupRecipient,
    // The host's own limit, above the app's 64 KiB: the app is to say what was wrong.
    FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '131072',
    ...policy,
  };
}
