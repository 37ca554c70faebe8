import { VaultError } from '../errors.ts';
import type { VaultRequest } from '../request.ts';

/**
 * One line of the audit log: the columns of Azure Monitor's table AZKVAuditLogs that say something here (Microsoft
 * Learn, "AZKVAuditLogs"). Neither bodies nor tokens are in it, so no secret can be.
 */
export interface AuditEntry {
  /** ISO 8601, virtual time, when the request arrived. */
  readonly TimeGenerated: string;
  readonly ResourceId: string;
  readonly Category: 'AuditEvent';
  /** `Unknown` for a route that the stand-in does not have. */
  readonly OperationName: string;
  /** The api-version asked for. */
  readonly OperationVersion: string;
  readonly ResultType: 'Success' | 'Failure';
  /** The reason phrase of the status. */
  readonly ResultSignature: string;
  /** The message of a refusal; empty for a success. */
  readonly ResultDescription: string;
  readonly HttpStatusCode: number;
  readonly DurationMs: number;
  readonly CallerIpAddress: string;
  /** What the client sent as x-ms-client-request-id. */
  readonly CorrelationId: string;
  readonly Identity: { readonly claim: Readonly<Record<string, string>> };
  /** The object, without its version unless one was asked for. */
  readonly Id: string;
  readonly ClientInfo: string;
  readonly RequestUri: string;
  readonly IsRbacAuthorized: boolean;
}

const OBJECT_ID_CLAIM = 'http://schemas.microsoft.com/identity/claims/objectidentifier';

/** How a request ended. */
export interface Outcome {
  readonly status: number;
  /** The error it was answered with, or null. */
  readonly error: unknown;
  /** Null when the caller could not prove who it is. */
  readonly principal: string | null;
  readonly durationMs: number;
  readonly arrivedAt: Date;
}

/** The log entry for a request. */
export function auditEntry(request: VaultRequest, outcome: Outcome): AuditEntry {
  const { vault, segments, query, client } = request;
  const { status, error, principal } = outcome;
  const path = `/${segments.map(encodeURIComponent).join('/')}`;
  return {
    TimeGenerated: outcome.arrivedAt.toISOString(),
    ResourceId: `/SUBSCRIPTIONS/LOCAL/RESOURCEGROUPS/LOCAL/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/${vault.name.toUpperCase()}`,
    Category: 'AuditEvent',
    OperationName: request.operation ?? 'Unknown',
    OperationVersion: query.get('api-version') ?? '',
    ResultType: status < 400 ? 'Success' : 'Failure',
    ResultSignature: SIGNATURES[status] ?? String(status),
    ResultDescription: error instanceof Error ? error.message : '',
    HttpStatusCode: status,
    DurationMs: Math.round(outcome.durationMs),
    CallerIpAddress: client.address,
    CorrelationId: client.requestId,
    Identity: { claim: principal === null ? {} : { [OBJECT_ID_CLAIM]: principal } },
    Id: `${vault.url}${path}`,
    ClientInfo: client.userAgent,
    RequestUri: `${vault.url}${path}${query.size === 0 ? '' : `?${query}`}`,
    IsRbacAuthorized:
      principal !== null && !(error instanceof VaultError && error.innerCode === 'ForbiddenByRbac'),
  };
}

const SIGNATURES: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  413: 'Request Entity Too Large',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};
