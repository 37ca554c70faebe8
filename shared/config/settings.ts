import { z } from 'zod';
import type { RecordStorage } from '../adapters/storage/connect.ts';
import { EverleafError } from '../domain/errors.ts';
import type { Policy } from '../domain/policy.ts';
import { checkedUrl, isLoopback, serviceUrl } from './service-url.ts';

/** Everything that can be set, checked as a whole: an object of this type cannot be wrong. */
export interface Settings {
  readonly policy: Policy;
  readonly authorityVaultUrl: string;
  readonly clientVaultUrl: string;
  readonly storage: RecordStorage;
  /** Client id of the app's managed identity. */
  readonly managedIdentityClientId: string;
  /** Who signs operators' bearer tokens, and for whom. */
  readonly operators: { readonly issuer: string; readonly audience: string; readonly tenantId: string };
  /** The address that agents call, without a slash at its end: proofs name it. */
  readonly publicBaseUrl: string;
  /** Where verifiers find CRL, OCSP and the authorities' certificates; without a slash at its end. */
  readonly revocationBaseUrl: string;
  readonly trustDomain: string;
  readonly cloud: {
    readonly fqdn: string;
    readonly port: number;
    readonly authPort: number;
    readonly location: string;
  };
  readonly schedules: {
    readonly renewDue: string;
    readonly reconcile: string;
    readonly sealAudit: string;
    readonly rollAuthority: string;
    readonly publishCrl: string;
    readonly renewResponders: string;
    readonly backup: string;
    readonly watchFleet: string;
  };
  /** Public keys that backups are encrypted for; none: no backups are written. */
  readonly backupRecipients: readonly string[];
  /** The Application Insights component that takes the app's metrics; null: they stay in the process. */
  readonly telemetry: string | null;
}

type Environment = Readonly<Record<string, string | undefined>>;

const days = (fallback: number, most: number) => z.coerce.number().int().min(1).max(most).default(fallback);
const port = (fallback: number) => z.coerce.number().int().min(1).max(65_535).default(fallback);
/** NCRONTAB by its form: five or six fields. When it fires, the adapter knows. */
const schedule = z.string().regex(/^[\d*/,A-Za-z-]+(?: +[\d*/,A-Za-z-]+){4,5}$/, 'is no NCRONTAB expression');
/** Public keys of age by their form (Bech32); their checksums are the cipher's to look at. */
const recipients = z
  .string()
  .transform((text) => text.split(',').map((one) => one.trim()))
  .pipe(
    z.array(
      z.string().regex(/^age1(?:pq1)?[02-9ac-hj-np-z]{40,}$/, 'is no list of recipients of age (age1...)'),
    ),
  );
const rsaKeyType = z.enum(['RSA-2048', 'RSA-3072', 'RSA-4096']);

/** As openssl and Windows print them: with colons or without, in either case, one or more with commas between. */
const fingerprints = z
  .string()
  .transform((text) => text.split(',').map((one) => one.replace(/[\s:]/g, '').toLowerCase()))
  .refine((all) => all.every((one) => /^[0-9a-f]{64}$/.test(one)), 'is no list of SHA-256 fingerprints');

/** As Application Insights shows it: `InstrumentationKey=<GUID>;IngestionEndpoint=https://...`. */
const telemetryTarget = z
  .string()
  .regex(
    /(?:^|;)InstrumentationKey=[0-9a-f-]{36}(?:;|$)/i,
    'is no connection string of Application Insights',
  );

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
/** ASCII, because it goes into certificates as an IA5String; without a slash at its end, a query or a fragment. */
const revocationUrl = z
  .string()
  .regex(/^https?:\/\/[!-~]+$/, 'is no http or https address')
  .refine((text) => URL.canParse(text) && !/[?#]/.test(text), 'has a query or a fragment, or is no address')
  .transform((text) => text.replace(/\/+$/, ''));

/** RFC 1123 host names, lower case as SPIFFE trust domains are (SPIFFE-ID, 2.1). */
const hostName = z
  .string()
  .max(253, 'is longer than a host name can be')
  .regex(new RegExp(`^${LABEL}(?:\\.${LABEL})*$`), 'is not a lower-case host name');

function schemaFor(environment: Environment) {
  const isInAzure = (environment['WEBSITE_SITE_NAME'] ?? '') !== '';
  const url = serviceUrl(isInAzure);
  return z.object({
    // Lengths in days; the seed of the numbers is what the cloud agent does.
    CERTIFICATE_VALIDITY_DAYS: days(90, 365),
    TOKEN_VALIDITY_DAYS: days(90, 365),
    AUTHORITY_VALIDITY_DAYS: days(365, 3650),
    CLIENT_KEY_TYPE: rsaKeyType.default('RSA-2048'),
    WORKLOAD_DELIVERY: z.enum(['vault', 'agent']).default('vault'),
    AUTHORITY_KEY_TYPE: z.enum([...rsaKeyType.options, 'EC-P256']).default('EC-P256'),
    AUTHORITY_ROOT: z.enum(['self', 'outside']).default('self'),
    AUTHORITY_ROOT_SHA256: fingerprints.optional(),
    RECOVERY_WINDOW_DAYS: z.coerce.number().int().min(0).max(365).default(30),
    RECOVERY_BUDGET: z.coerce.number().int().min(0).max(100).default(3),
    UPDATE_REMINDER_DAYS: days(60, 3650),
    VAULT_KEYS_PER_MINUTE: z.coerce.number().int().min(1).max(10_000).default(60),
    LOGIN_FAILURES_PER_SOURCE: z.coerce.number().int().min(1).max(1_000_000).default(30),
    ISSUANCES_PER_IDENTITY: z.coerce.number().int().min(1).max(1_000_000).default(200),
    // A wave is at most one page of the list of identities.
    TAINT_WAVE_SIZE: z.coerce.number().int().min(1).max(1000).default(100),
    TAINT_WAVE_MINUTES: z.coerce.number().int().min(1).max(1440).default(15),
    // Ten days is the most that the CA/Browser Forum gives a list (Baseline Requirements, 4.9.7), and the last ones of an
    // authority last for two lengths and a day.
    CRL_VALIDITY_HOURS: z.coerce.number().int().min(24).max(108).default(72),
    OCSP_SIGNATURES_PER_MINUTE: z.coerce.number().int().min(1).max(10_000).default(600),
    OCSP_SIGNATURES_PER_SOURCE: z.coerce.number().int().min(1).max(10_000).default(120),
    AUTHORITY_VAULT_URL: url,
    CLIENT_VAULT_URL: url,
    RECORD_STORAGE: connectionString(isInAzure).optional(),
    RECORD_STORAGE__tableServiceUri: url.optional(),
    RECORD_STORAGE__queueServiceUri: url.optional(),
    RECORD_STORAGE__blobServiceUri: url.optional(),
    AZURE_CLIENT_ID: z.string().min(1),
    // To the letter, with a slash at the end or without: tokens are compared with it.
    OPERATOR_ISSUER: checkedUrl(isInAzure),
    OPERATOR_AUDIENCE: z.string().min(1),
    OPERATOR_TENANT_ID: z.string().min(1),
    // What agents call; it stands in the proofs that they sign, so it is compared to the letter.
    PUBLIC_BASE_URL: url,
    // Stands in every certificate. It may be http also in Azure: a https one asks verifiers to check a certificate in order
    // to check a certificate (RFC 5280, section 8).
    REVOCATION_BASE_URL: revocationUrl.optional(),
    TRUST_DOMAIN: hostName,
    CLOUD_FQDN: hostName.regex(/(?:^|\.)[a-z0-9-]*[a-z-][a-z0-9-]*$/, 'is an address and no host name'),
    CLOUD_PORT: port(55_000),
    CLOUD_AUTH_PORT: port(65_000),
    CLOUD_LOCATION: z.string().min(1).max(128).default('MocLocation'),
    RENEW_DUE_SCHEDULE: schedule.default('0 */15 * * * *'),
    RECONCILE_SCHEDULE: schedule.default('0 30 2 * * *'),
    AUDIT_SEAL_SCHEDULE: schedule.default('0 */5 * * * *'),
    ROLL_AUTHORITY_SCHEDULE: schedule.default('0 0 1 * * *'),
    PUBLISH_CRL_SCHEDULE: schedule.default('0 15 */6 * * *'),
    RENEW_RESPONDERS_SCHEDULE: schedule.default('0 20 * * * *'),
    BACKUP_SCHEDULE: schedule.default('0 30 3 * * *'),
    BACKUP_RECIPIENTS: recipients.default([]),
    WATCH_FLEET_SCHEDULE: schedule.default('0 10,40 * * * *'),
    // Names the component and where it listens, and opens nothing: the app's identity does.
    APPLICATIONINSIGHTS_CONNECTION_STRING: telemetryTarget.optional(),
  });
}

/** A connection string holds a key, so it is for this machine's storage alone: in Azure the app's identity is used. */
function connectionString(isInAzure: boolean) {
  return z.string().superRefine((text, context) => {
    const endpoints = [...text.matchAll(/(\w+)Endpoint=([^;]+)/g)];
    const named = endpoints.map(([, service]) => service);
    // A service whose endpoint is not named would be looked for in the cloud.
    const isComplete = ['Table', 'Queue', 'Blob'].every((service) => named.includes(service));
    if (isInAzure || !isComplete || !endpoints.every(([, , url = '']) => isLoopback(url))) {
      context.addIssue({
        code: 'custom',
        message:
          'is for tables, queues and blobs on this machine alone: elsewhere set RECORD_STORAGE__tableServiceUri, ' +
          '__queueServiceUri and __blobServiceUri',
      });
    }
  });
}

/**
 * Reads the settings from the environment.
 * @throws EverleafError InvalidSettings naming every mistake at once
 */
export function readSettings(environment: Environment): Settings {
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const result = schemaFor(environment).safeParse(present);
  const mistakes = result.success
    ? []
    : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  if (result.success) mistakes.push(...mismatches(result.data));
  const storage = recordStorage(result.data ?? present);
  if (storage === null) {
    mistakes.push(
      'RECORD_STORAGE__tableServiceUri, __queueServiceUri and __blobServiceUri: all three are needed',
    );
  }
  if (!result.success || storage === null || mistakes.length > 0) {
    throw new EverleafError('InvalidSettings', `The settings have mistakes:\n- ${mistakes.join('\n- ')}`);
  }
  return toSettings(result.data, storage);
}

/** Settings that are right one by one and wrong together. */
function mismatches(read: Read): string[] {
  const found: string[] = [];
  if (read.AUTHORITY_VALIDITY_DAYS < read.CERTIFICATE_VALIDITY_DAYS) {
    found.push('AUTHORITY_VALIDITY_DAYS: is shorter than CERTIFICATE_VALIDITY_DAYS');
  }
  if (read.AUTHORITY_VALIDITY_DAYS < 2) {
    found.push('AUTHORITY_VALIDITY_DAYS: is too short, nothing is issued in the last day');
  }
  if (read.AUTHORITY_ROOT_SHA256 !== undefined && read.AUTHORITY_ROOT === 'self') {
    found.push('AUTHORITY_ROOT_SHA256: is for AUTHORITY_ROOT=outside alone');
  }
  if (read.AUTHORITY_VAULT_URL === read.CLIENT_VAULT_URL) {
    found.push('CLIENT_VAULT_URL: is the authority vault, which no client may read');
  }
  return found;
}

type Read = z.infer<ReturnType<typeof schemaFor>>;

function recordStorage(read: Partial<Read>): RecordStorage | null {
  if (read.RECORD_STORAGE !== undefined) return { connectionString: read.RECORD_STORAGE };
  const {
    RECORD_STORAGE__tableServiceUri: tableServiceUri,
    RECORD_STORAGE__queueServiceUri: queueServiceUri,
    RECORD_STORAGE__blobServiceUri: blobServiceUri,
  } = read;
  if (tableServiceUri === undefined || queueServiceUri === undefined || blobServiceUri === undefined) {
    return null;
  }
  return { tableServiceUri, queueServiceUri, blobServiceUri };
}

function toSettings(read: Read, storage: RecordStorage): Settings {
  return {
    policy: {
      certificateValidityDays: read.CERTIFICATE_VALIDITY_DAYS,
      tokenValidityDays: read.TOKEN_VALIDITY_DAYS,
      authorityValidityDays: read.AUTHORITY_VALIDITY_DAYS,
      clientKeyType: read.CLIENT_KEY_TYPE,
      workloadDelivery: read.WORKLOAD_DELIVERY,
      authorityKeyType: read.AUTHORITY_KEY_TYPE,
      authorityRoot: read.AUTHORITY_ROOT,
      authorityRoots: read.AUTHORITY_ROOT_SHA256 ?? [],
      vaultKeysPerMinute: read.VAULT_KEYS_PER_MINUTE,
      recoveryWindowDays: read.RECOVERY_WINDOW_DAYS,
      recoveryBudget: read.RECOVERY_BUDGET,
      updateReminderDays: read.UPDATE_REMINDER_DAYS,
      loginFailuresPerSource: read.LOGIN_FAILURES_PER_SOURCE,
      issuancesPerIdentity: read.ISSUANCES_PER_IDENTITY,
      taintWaveSize: read.TAINT_WAVE_SIZE,
      taintWaveMinutes: read.TAINT_WAVE_MINUTES,
      crlValidityHours: read.CRL_VALIDITY_HOURS,
      ocspSignaturesPerMinute: read.OCSP_SIGNATURES_PER_MINUTE,
      ocspSignaturesPerSource: read.OCSP_SIGNATURES_PER_SOURCE,
    },
    authorityVaultUrl: read.AUTHORITY_VAULT_URL,
    clientVaultUrl: read.CLIENT_VAULT_URL,
    storage,
    managedIdentityClientId: read.AZURE_CLIENT_ID,
    operators: {
      issuer: read.OPERATOR_ISSUER,
      audience: read.OPERATOR_AUDIENCE,
      tenantId: read.OPERATOR_TENANT_ID,
    },
    publicBaseUrl: read.PUBLIC_BASE_URL,
    revocationBaseUrl: read.REVOCATION_BASE_URL ?? read.PUBLIC_BASE_URL,
    trustDomain: read.TRUST_DOMAIN,
    cloud: {
      fqdn: read.CLOUD_FQDN,
      port: read.CLOUD_PORT,
      authPort: read.CLOUD_AUTH_PORT,
      location: read.CLOUD_LOCATION,
    },
    schedules: {
      renewDue: read.RENEW_DUE_SCHEDULE,
      reconcile: read.RECONCILE_SCHEDULE,
      sealAudit: read.AUDIT_SEAL_SCHEDULE,
      rollAuthority: read.ROLL_AUTHORITY_SCHEDULE,
      publishCrl: read.PUBLISH_CRL_SCHEDULE,
      renewResponders: read.RENEW_RESPONDERS_SCHEDULE,
      backup: read.BACKUP_SCHEDULE,
      watchFleet: read.WATCH_FLEET_SCHEDULE,
    },
    backupRecipients: read.BACKUP_RECIPIENTS,
    telemetry: read.APPLICATIONINSIGHTS_CONNECTION_STRING ?? null,
  };
}
