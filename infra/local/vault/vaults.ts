import { join } from 'node:path';
import { DEFAULT_RETENTION_DAYS } from './attributes.ts';
import { AuditLog } from './audit/audit-log.ts';
import { type Authenticate, authenticateRequest, tokensOfIssuer } from './authentication.ts';
import { roleAuthorizer } from './authorization.ts';
import { loadBackupCipher } from './backup-cipher.ts';
import type { VaultConfig, VaultProcessConfig } from './config.ts';
import { preparePrivateDirectory } from './durable-file.ts';
import { EventEmitter } from './events/emitter.ts';
import { startControl } from './faults/control.ts';
import { FaultPlan } from './faults/fault-plan.ts';
import { faultInjection } from './faults/injection.ts';
import { crash, TornWriter } from './faults/torn-writer.ts';
import { unlimited, vaultQuota } from './quota.ts';
import type { Middleware, Next, Vault } from './request.ts';
import { findRoute, takeRoute } from './router.ts';
import { type Listening, listen } from './server.ts';
import { ObjectStore } from './store.ts';

export interface RunningVaults {
  /** Vault name to URL, without a trailing slash. */
  readonly urls: Readonly<Record<string, string>>;
  /** Where faults are asked for and the audit log is read; null when the configuration has no port for it. */
  readonly controlUrl: string | null;
  /** Finishes what is running and closes; everything acknowledged is on disk already. */
  stop(): Promise<void>;
}

export interface VaultOptions {
  /** Replaces the check against the issuer: the text of a bearer token to its principal. */
  readonly authenticate?: Authenticate;
  /** Steps around every request, outermost first: for tests in the same process. Others use the control endpoint. */
  readonly middleware?: readonly Middleware[];
}

/** The file of the audit log in the state directory; its name cannot be a vault's. */
const AUDIT_FILE = 'audit.jsonl';
const BACKUP_KEY_FILE = 'backup.key';
const EVENTS_FILE = 'events.json';

/**
 * Starts every vault of the configuration in this process, each on a port of its own.
 * @throws Error when a port is taken, the state cannot be read, a role is unknown, or a vault is not one
 */
export async function startVaults(
  config: VaultProcessConfig,
  options: VaultOptions = {},
): Promise<RunningVaults> {
  const authenticate = options.authenticate ?? tokensOfIssuer(config.issuer.url, config.audience);
  const authorizer = roleAuthorizer(config.roles, config.assignments);
  const challenge = { issuerUrl: config.issuer.url, audience: config.audience };
  config.vaults.forEach(checkVault);

  const started: { name: string; store: ObjectStore; server: Listening }[] = [];
  let control: Listening | null = null;
  let events: EventEmitter | null = null;
  await preparePrivateDirectory(config.stateDir);
  const backups = await loadBackupCipher(join(config.stateDir, BACKUP_KEY_FILE));
  const audit = await AuditLog.open(join(config.stateDir, AUDIT_FILE));
  if (config.events !== undefined) {
    events = await EventEmitter.open(config.events, join(config.stateDir, EVENTS_FILE));
  }
  const stop = async () => {
    await Promise.all([...started.map(({ server }) => server.close()), control?.close()]);
    // A client that went away leaves its change running.
    await Promise.all(started.map(({ store }) => store.idle()));
    await events?.stop();
    await audit.close();
  };

  const plan = new FaultPlan();
  const writer = new TornWriter();
  const faults = faultInjection(plan, { crash, armTornWrite: () => writer.arm() });
  const serve: Next = (request) =>
    audit.watch(request, async (witness) => {
      witness.principal = await authenticateRequest(request.authorization, authenticate, challenge);
      const destination = findRoute(request.method, request.segments);
      return takeRoute(request, destination, witness.principal, authorizer);
    });
  // A fault is not the vault's doing: what it answers or swallows does not change what the audit log tells.
  const answer = withMiddleware([faults, ...(options.middleware ?? [])], serve);

  try {
    for (const each of config.vaults) {
      const store = await ObjectStore.open(
        join(config.stateDir, each.name),
        writer.write,
        async (before, after) => events?.changed({ name: each.name, url: server.url }, before, after),
      );
      const settings: Omit<Vault, 'url'> = {
        name: each.name,
        store,
        backups,
        selfCompletesAfterPolls: config.selfCompletesAfterPolls ?? 0,
        quota: (each.quotas ?? true) ? vaultQuota() : unlimited,
        retentionDays: each.retentionDays ?? DEFAULT_RETENTION_DAYS,
        purgeProtection: each.purgeProtection ?? false,
      };
      const server: Listening = await listen(each.port, ({ contentType: _, ...exchange }) => {
        const operation = findRoute(exchange.method, exchange.segments)?.route.operation ?? null;
        return answer({ ...exchange, operation, vault: { ...settings, url: server.url } });
      });
      started.push({ name: each.name, store, server });
    }
    await events?.start(
      started.map(({ name, store, server }) => ({ name, url: server.url, objects: () => store.all() })),
    );
    if (config.faultsPort !== undefined) control = await startControl(config.faultsPort, plan, audit);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    urls: Object.fromEntries(started.map(({ name, server }) => [name, server.url])),
    controlUrl: control?.url ?? null,
    stop,
  };
}

function checkVault({ name, retentionDays = DEFAULT_RETENTION_DAYS }: VaultConfig): void {
  // As in Azure, and what keeps the vault's directory inside the state directory.
  if (!/^[0-9A-Za-z-]{3,24}$/.test(name)) throw new Error(`"${name}" cannot be the name of a vault.`);
  if (!Number.isInteger(retentionDays) || retentionDays < 7 || retentionDays > 90) {
    throw new Error(
      `The vault "${name}" cannot keep deleted objects for ${retentionDays} days: 7 to 90 are possible.`,
    );
  }
}

function withMiddleware(steps: readonly Middleware[], last: Next): Next {
  return steps.reduceRight<Next>((next, step) => (request) => step(request, next), last);
}
