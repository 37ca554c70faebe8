import type { Action } from '../domain/actions.ts';

/** What opens a route. */
export type RouteAccess =
  /**
   * `anyone`: public by design. `token`: the use case checks the agent's token. `proof`: the use case checks a proof of
   * the key of the agent's certificate.
   */
  | { readonly credential: 'anyone' | 'token' | 'proof' }
  /**
   * An operator's bearer token, or a proof of an Admin identity, whose access rules allow `action` at `scope`. Checked
   * before the handler runs; names in braces are parameters of the route.
   */
  | { readonly credential: 'operator'; readonly action: Action; readonly scope: ScopeTemplate };

export type ScopeTemplate = '/' | '/clusters/{cluster}' | '/clusters/{cluster}/identities/{name}';

export type RouteMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface RoutePolicy {
  readonly route: string;
  readonly methods: Readonly<Partial<Record<RouteMethod, RouteAccess>>>;
}

const anyone = { credential: 'anyone' } as const;
const token = { credential: 'token' } as const;
const proof = { credential: 'proof' } as const;
const operator = (action: Action, scope: ScopeTemplate = '/') =>
  ({ credential: 'operator', action, scope }) as const;

const IDENTITY = 'clusters/{cluster}/identities/{name}';
const AUTHORITY = 'authorities/{id}';
const IDENTITY_SCOPE = '/clusters/{cluster}/identities/{name}';

/**
 * Which credential opens which route with which method, in one place. A route that does not stand here cannot be
 * registered, and what no row allows is refused.
 */
export const ROUTES = {
  login: { route: 'login', methods: { POST: token } },
  renew: { route: 'certificates/renew', methods: { POST: proof } },
  acknowledge: { route: 'bundle/acknowledge', methods: { POST: proof } },
  'ca-bundle': { route: 'ca-bundle', methods: { GET: anyone } },
  ocsp: { route: 'ocsp', methods: { POST: anyone } },
  'ocsp-get': { route: 'ocsp/{*request}', methods: { GET: anyone } },
  health: { route: 'health', methods: { GET: anyone } },
  openapi: { route: 'openapi.json', methods: { GET: anyone } },
  crl: { route: 'crl/{authority}', methods: { GET: anyone } },
  ca: { route: 'ca/{authority}', methods: { GET: anyone } },
  status: { route: 'status', methods: { GET: operator('status/read') } },
  metrics: { route: 'metrics', methods: { GET: operator('status/read') } },
  plan: { route: 'plan', methods: { GET: operator('plan/read') } },
  clusters: {
    route: 'clusters',
    methods: { GET: operator('cluster/read'), POST: operator('cluster/write') },
  },
  cluster: {
    route: 'clusters/{cluster}',
    methods: {
      GET: operator('cluster/read', '/clusters/{cluster}'),
      DELETE: operator('cluster/delete', '/clusters/{cluster}'),
    },
  },
  'renew-cluster': {
    route: 'clusters/{cluster}/renew',
    methods: { POST: operator('cluster/renew', '/clusters/{cluster}') },
  },
  'update-cluster': {
    route: 'clusters/{cluster}/update',
    methods: { POST: operator('cluster/update', '/clusters/{cluster}') },
  },
  operation: { route: 'operations/{id}', methods: { GET: operator('operation/read') } },
  'operation-login-files': {
    route: 'operations/{id}/login-files',
    methods: { GET: operator('operation/login-files') },
  },
  roles: { route: 'roles', methods: { GET: operator('role/read'), PUT: operator('role/write') } },
  role: {
    route: 'roles/{role}',
    methods: {
      GET: operator('role/read'),
      PUT: operator('role/write'),
      DELETE: operator('role/delete'),
    },
  },
  'role-assignments': {
    route: 'role-assignments',
    methods: { GET: operator('roleassignment/read'), PUT: operator('roleassignment/write') },
  },
  'role-assignment': {
    route: 'role-assignments/{id}',
    methods: {
      GET: operator('roleassignment/read'),
      PUT: operator('roleassignment/write'),
      DELETE: operator('roleassignment/delete'),
    },
  },
  'access-check': { route: 'access-check', methods: { POST: operator('access/check') } },
  events: { route: 'events', methods: { GET: operator('event/read') } },
  identities: {
    route: 'clusters/{cluster}/identities',
    methods: {
      GET: operator('identity/read', '/clusters/{cluster}'),
      POST: operator('identity/write', '/clusters/{cluster}'),
    },
  },
  identity: {
    route: IDENTITY,
    methods: {
      GET: operator('identity/read', IDENTITY_SCOPE),
      PATCH: operator('identity/write', IDENTITY_SCOPE),
      DELETE: operator('identity/delete', IDENTITY_SCOPE),
    },
  },
  'rotate-identity': {
    route: `${IDENTITY}/rotate`,
    methods: { POST: operator('identity/rotate', IDENTITY_SCOPE) },
  },
  'revoke-identity': {
    route: `${IDENTITY}/revoke`,
    methods: { POST: operator('identity/revoke', IDENTITY_SCOPE) },
  },
  instances: {
    route: `${IDENTITY}/instances`,
    methods: { GET: operator('identity/read', IDENTITY_SCOPE) },
  },
  'unlock-instance': {
    route: `${IDENTITY}/instances/{id}/unlock`,
    methods: { POST: operator('identity/unlock', IDENTITY_SCOPE) },
  },
  'rotate-token': { route: 'token/rotate', methods: { POST: proof } },
  revocations: {
    route: 'revocations',
    methods: { GET: operator('revocation/read'), POST: operator('revocation/write') },
  },
  authorities: { route: 'authorities', methods: { GET: operator('authority/read') } },
  'roll-authorities': { route: 'authorities/roll', methods: { POST: operator('authority/write') } },
  'prepare-authority': { route: 'authorities/prepare', methods: { POST: operator('authority/write') } },
  'activate-authority': { route: `${AUTHORITY}/activate`, methods: { POST: operator('authority/write') } },
  'cancel-authority': { route: `${AUTHORITY}/cancel`, methods: { POST: operator('authority/write') } },
  'taint-authority': { route: `${AUTHORITY}/taint`, methods: { POST: operator('authority/taint') } },
  'pause-taint': { route: `${AUTHORITY}/pause`, methods: { POST: operator('authority/taint') } },
  'resume-taint': { route: `${AUTHORITY}/resume`, methods: { POST: operator('authority/taint') } },
  'authority-csr': { route: `${AUTHORITY}/csr`, methods: { GET: operator('authority/read') } },
  'authority-certificate': {
    route: `${AUTHORITY}/certificate`,
    methods: { POST: operator('authority/write') },
  },
  'revoke-authority': { route: `${AUTHORITY}/revoke`, methods: { POST: operator('authority/taint') } },
  revocation: { route: 'revocations/{id}', methods: { DELETE: operator('revocation/delete') } },
} as const satisfies Readonly<Record<string, RoutePolicy>>;

export type RouteName = keyof typeof ROUTES;

/** The methods that a route has rows for. */
export type MethodOf<Name extends RouteName> = keyof (typeof ROUTES)[Name]['methods'];
