/** What `npm start` and `npm run services` take from their environment. */
import { resolve } from 'node:path';

export interface SupervisorSettings {
  /** Absolute path of the state directory. */
  readonly stateDir: string;
  /** EVERLEAF_PORT: a port, 0 for "any free one", null when it is not set. */
  readonly port: number | null;
  /** Settings of the product that a developer may change: handed on to the app as they are. */
  readonly policy: Readonly<Record<string, string>>;
  /** The little that every local process needs of the machine. Nothing else of the environment reaches them. */
  readonly machine: Readonly<Record<string, string>>;
}

const POLICY = [
  'CERTIFICATE_VALIDITY_DAYS',
  'TOKEN_VALIDITY_DAYS',
  'AUTHORITY_VALIDITY_DAYS',
  'CLIENT_KEY_TYPE',
  'WORKLOAD_DELIVERY',
  'AUTHORITY_KEY_TYPE',
  'AUTHORITY_ROOT',
  'AUTHORITY_ROOT_SHA256',
  'VAULT_KEYS_PER_MINUTE',
  'RECOVERY_WINDOW_DAYS',
  'RECOVERY_BUDGET',
  'UPDATE_REMINDER_DAYS',
  'LOGIN_FAILURES_PER_SOURCE',
  'ISSUANCES_PER_IDENTITY',
  'TAINT_WAVE_SIZE',
  'TAINT_WAVE_MINUTES',
  'CRL_VALIDITY_HOURS',
  'OCSP_SIGNATURES_PER_MINUTE',
  'OCSP_SIGNATURES_PER_SOURCE',
  'TRUST_DOMAIN',
  'CLOUD_FQDN',
  'RENEW_DUE_SCHEDULE',
  'RECONCILE_SCHEDULE',
  'AUDIT_SEAL_SCHEDULE',
  'ROLL_AUTHORITY_SCHEDULE',
  'PUBLISH_CRL_SCHEDULE',
  'RENEW_RESPONDERS_SCHEDULE',
  'BACKUP_SCHEDULE',
  'BACKUP_RECIPIENTS',
];
// No NODE_OPTIONS: what a developer loads into every Node (a profiler, a preload) would run inside the stand-ins too.
const MACHINE = ['PATH', 'HOME', 'LANG', 'TMPDIR'];

/**
 * @throws Error when EVERLEAF_PORT is not a port, and inside Azure (WEBSITE_SITE_NAME is set by App Service in every
 * app, see "Environment variables and app settings in Azure App Service"): the stand-ins keep keys in plain files.
 */
export function readSupervisorSettings(env: NodeJS.ProcessEnv, cwd: string): SupervisorSettings {
  if (env['WEBSITE_SITE_NAME'] !== undefined) {
    throw new Error(
      'This is the environment for one machine and must not run inside Azure (WEBSITE_SITE_NAME is set). ' +
        'Deploy the app as README.md says; it needs nothing from infra/local.',
    );
  }
  const port = env['EVERLEAF_PORT'] ?? '';
  if (port !== '' && (!/^\d{1,5}$/.test(port) || Number(port) > 65535)) {
    throw new Error(`EVERLEAF_PORT is "${port}"; give a port from 1 to 65535, or 0 for any free one.`);
  }
  return {
    stateDir: resolve(cwd, env['EVERLEAF_STATE_DIR'] || '.everleaf'),
    port: port === '' ? null : Number(port),
    policy: pick(env, POLICY),
    machine: pick(env, MACHINE),
  };
}

function pick(env: NodeJS.ProcessEnv, names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = env[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}
