import type { CertificateClientOptions } from '@azure/keyvault-certificates';
import type { Labels } from '../../domain/metrics.ts';
import type { Metrics } from '../../ports/metrics.ts';
import { stopwatch } from '../system/stopwatch.ts';
import { currentTrace } from '../system/trace.ts';

/** What stands in the pipeline of a vault's clients beside their own policies. */
export type VaultPolicy = NonNullable<CertificateClientOptions['additionalPolicies']>[number];

/**
 * Counts every request to a vault, repeats and the challenge's first answer included, and sends the invocation's id along:
 * it is `CorrelationId` in the vault's diagnostic log (Microsoft Learn, "Azure Key Vault logging"), so that a login can be
 * followed into the vault.
 */
export function watchedCalls(metrics: Metrics): VaultPolicy {
  return {
    position: 'perRetry',
    policy: {
      name: 'everleafWatchedCalls',
      sendRequest: async (request, next) => {
        const trace = currentTrace();
        if (trace !== undefined) request.headers.set('x-ms-client-request-id', trace.requestId);
        const called = { vault: vaultName(request.url), operation: operationOf(request.method, request.url) };
        const elapsed = stopwatch();
        try {
          const response = await next(request);
          tell(metrics, called, String(response.status), elapsed());
          return response;
        } catch (error) {
          tell(metrics, called, 'none', elapsed());
          throw error;
        }
      },
    },
  };
}

function tell(metrics: Metrics, called: Labels, status: string, seconds: number): void {
  metrics.count('everleaf.vault.calls', { ...called, status });
  metrics.record('everleaf.vault.duration', called, seconds);
}

/** `https://<name>.vault.azure.net`; an address is its own name. */
function vaultName(url: string): string {
  const { hostname, host } = new URL(url);
  return /^[\d.]+$|^\[/.test(hostname) ? host : (hostname.split('.')[0] ?? host);
}

/** The operation without the object: `POST certificates/{name}/create`. Objects are too many to count by. */
function operationOf(method: string, url: string): string {
  const [collection = '', name, ...rest] = new URL(url).pathname.split('/').filter((part) => part !== '');
  const parts = [collection, ...(name === undefined ? [] : isRestore(name) ? [name] : ['{name}'])];
  return `${method} ${[...parts, ...rest.map((part) => (VERSION.test(part) ? '{version}' : part))].join('/')}`;
}

const VERSION = /^[0-9a-f]{32}$/i;

/** The one action of a collection as a whole. */
function isRestore(segment: string): boolean {
  return segment === 'restore';
}
