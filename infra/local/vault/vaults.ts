import { join } from 'node:path';
import { type Authenticate, authenticateRequest, tokensOfIssuer } from './authentication.ts';
import { roleAuthorizer } from './authorization.ts';
import type { VaultProcessConfig } from './config.ts';
import type { Middleware, Next } from './request.ts';
import { route } from './router.ts';
import { type Listening, listen } from './server.ts';
import { ObjectStore } from './store.ts';

export interface RunningVaults {
  /** Vault name to URL, without a trailing slash. */
  readonly urls: Readonly<Record<string, string>>;
  /** Finishes what is running and closes; everything acknowledged is on disk already. */
  stop(): Promise<void>;
}

export interface VaultOptions {
  /** Replaces the check against the issuer: the text of a bearer token to its principal. */
  readonly authenticate?: Authenticate;
  /** Steps around every request, outermost first. Fault injection goes here: it can delay, answer or drop. */
  readonly middleware?: readonly Middleware[];
}

/**
 * Starts every vault of the configuration in this process, each on a port of its own.
 * @throws Error when a port is taken, the state cannot be read, or a role is unknown
 */
export async function startVaults(
  config: VaultProcessConfig,
  options: VaultOptions = {},
): Promise<RunningVaults> {
  const authenticate = options.authenticate ?? tokensOfIssuer(config.issuer.url, config.audience);
  const authorizer = roleAuthorizer(config.roles, config.assignments);
  const selfCompletesAfterPolls = config.selfCompletesAfterPolls ?? 0;
  const challenge = { issuerUrl: config.issuer.url, audience: config.audience };

  const authenticateAndRoute: Next = async (request) => {
    const principal = await authenticateRequest(request.authorization, authenticate, challenge);
    return route(request, principal, authorizer);
  };
  const answer = withMiddleware(options.middleware ?? [], authenticateAndRoute);

  const started: { name: string; store: ObjectStore; server: Listening }[] = [];
  const stop = async () => {
    await Promise.all(started.map(({ server }) => server.close()));
    // A client that went away leaves its change running.
    await Promise.all(started.map(({ store }) => store.idle()));
  };
  try {
    for (const { name, port } of config.vaults) {
      // As in Azure, and what keeps the vault's directory inside the state directory.
      if (!/^[0-9A-Za-z-]{3,24}$/.test(name)) throw new Error(`"${name}" cannot be the name of a vault.`);
      const store = await ObjectStore.open(join(config.stateDir, name));
      const server: Listening = await listen(port, (request) =>
        answer({ ...request, vault: { name, url: server.url, store, selfCompletesAfterPolls } }),
      );
      started.push({ name, store, server });
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    urls: Object.fromEntries(started.map(({ name, server }) => [name, server.url])),
    stop,
  };
}

function withMiddleware(steps: readonly Middleware[], last: Next): Next {
  return steps.reduceRight<Next>((next, step) => (request) => step(request, next), last);
}
