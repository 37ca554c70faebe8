/**
 * Which credential opens which route, in one place. A route that does not stand here cannot be registered, and what
 * no row allows is refused.
 */
export interface RoutePolicy {
  readonly methods: readonly ('GET' | 'POST')[];
  readonly route: string;
  /**
   * `anyone`: public by design. `token`: the use case checks the agent's token. `proof`: the handler or the
   * use case checks the proof of a certificate's key. `Reader`, `Owner`: a bearer token of
   * an operator with that right.
   */
  readonly credential: 'anyone' | 'token' | 'proof' | 'Reader' | 'Owner';
}

export const ROUTES = {
  login: { methods: ['POST'], route: 'login', credential: 'token' },
  renew: { methods: ['POST'], route: 'certificates/renew', credential: 'proof' },
  acknowledge: { methods: ['POST'], route: 'bundle/acknowledge', credential: 'proof' },
  'ca-bundle': { methods: ['GET'], route: 'ca-bundle', credential: 'anyone' },
  health: { methods: ['GET'], route: 'health', credential: 'anyone' },
  status: { methods: ['GET'], route: 'status', credential: 'Reader' },
  plan: { methods: ['GET'], route: 'plan', credential: 'Reader' },
} as const satisfies Readonly<Record<string, RoutePolicy>>;

export type RouteName = keyof typeof ROUTES;
