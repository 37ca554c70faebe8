import type { BackupCipher } from './backup-cipher.ts';
import type { Operation } from './operations.ts';
import type { Quota } from './quota.ts';
import type { ObjectStore } from './store.ts';

/** One vault of the process, as handlers see it. */
export interface Vault {
  readonly name: string;
  /** Without a trailing slash; every identifier begins with it. */
  readonly url: string;
  readonly store: ObjectStore;
  readonly selfCompletesAfterPolls: number;
  readonly quota: Quota;
  /** How long a soft-deleted object waits for its purge: 7 to 90 days. */
  readonly retentionDays: number;
  /** With it, nobody can purge an object before its time. */
  readonly purgeProtection: boolean;
  /** Encrypts and decrypts backups; the vaults of one state directory can restore each other's. */
  readonly backups: BackupCipher;
}

/** Who sent a request, as far as the connection and the headers tell. */
export interface ClientFacts {
  readonly address: string;
  readonly userAgent: string;
  /** x-ms-client-request-id, empty when it was not sent. */
  readonly requestId: string;
}

/** A request before it is known which route it belongs to. */
export interface VaultRequest {
  readonly method: string;
  /** Decoded path segments, without empty ones: a trailing slash means an empty version, that is the latest. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  /** The value of the Authorization header. */
  readonly authorization: string | null;
  /** The text of the body; empty when there was none. It is parsed only when caller and route are known. */
  readonly body: string;
  readonly client: ClientFacts;
  readonly vault: Vault;
  /** What it asks for; null when the stand-in has no such route. */
  readonly operation: Operation | null;
}

/** What a handler works with: the request, its route's parameters, and who is calling. */
export interface RouteContext extends VaultRequest {
  /** The object's name as it was asked for; an empty string on routes without one. */
  readonly name: string;
  /** The version asked for; an empty string means the latest. */
  readonly version: string;
}

export interface VaultResponse {
  readonly status: number;
  /** Sent as JSON; undefined sends no body. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Next = (request: VaultRequest) => Promise<VaultResponse>;

/** A step around the routes; it answers itself or asks the next one. */
export type Middleware = (request: VaultRequest, next: Next) => Promise<VaultResponse>;

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `:name` and `:version` are parameters; `:version` also matches its absence. */
  readonly path: string;
  /** The data action the caller needs, without the leading `Microsoft.KeyVault/vaults/`. */
  readonly action: string;
  readonly operation: Operation;
  readonly handle: (context: RouteContext) => Promise<VaultResponse> | VaultResponse;
}
