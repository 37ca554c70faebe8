/** The answers of Everleaf's API as its documentation has them: the fields that the tests read. */

export interface LoginAnswer {
  readonly identity: { readonly cluster: string; readonly name: string; readonly clientType: string };
  readonly instance: string;
  readonly certificate: string;
  readonly chain: string;
  readonly caBundle: string;
  readonly bundleId: string;
  readonly serialNumber: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly renewAfter: string;
  readonly renewCount: number;
  readonly token: { readonly expiresAt: string; readonly rotateAfter: string; readonly rotationDue: boolean };
  readonly warnings: readonly string[];
  readonly vault?: { readonly certificateId: string; readonly secretId: string };
}

/** RFC 9457, with what Everleaf adds. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: string;
  readonly mocCode?: number;
  readonly correlationId: string;
  readonly retryable: boolean;
  /** RFC 6901 pointers into the body. */
  readonly errors?: readonly { readonly pointer: string }[];
  /** With a proof whose clock is off. */
  readonly serverTime?: string;
}

export interface IdentityStatus {
  readonly cluster: string;
  readonly name: string;
  readonly clientType: string;
  readonly delivery: 'vault' | 'agent';
  readonly state: string;
  readonly nextStep: { readonly action: string; readonly text: string };
  readonly certificate: null | {
    readonly serialNumber: string;
    readonly notBefore: string;
    readonly notAfter: string;
    readonly renewAfter: string;
    readonly renewCount: number;
    readonly authorityId: string;
    readonly vaultVersion: string | null;
  };
  readonly token: null | { readonly id: string; readonly expiresAt: string; readonly rotateAfter: string };
  readonly instances: { readonly live: number; readonly locked: number };
  readonly lastFailure: null | { readonly code: string };
}

export interface Status {
  readonly now: string;
  readonly overall: 'ok' | 'warning' | 'critical';
  readonly reasons: readonly { readonly code: string; readonly text: string; readonly count: number }[];
  readonly totals: {
    readonly clusters: number;
    readonly identities: number;
    readonly byState: Readonly<Record<string, number>>;
  };
  readonly timers: readonly { readonly name: string; readonly lastErrorCode: string | null }[];
  readonly queue: { readonly waiting: number; readonly poison: number };
  readonly authority: {
    readonly status: string;
    readonly activeId: string;
    readonly nextId: string | null;
    readonly notAfter: string;
  };
  readonly identities: readonly IdentityStatus[];
}

export interface PlanEntry {
  readonly target: { readonly cluster: string; readonly name: string } | { readonly authorityId: string };
  readonly kind: string;
  readonly action: string;
  readonly dueAt: string;
  readonly windowClosesAt: string | null;
  readonly reason: string;
  readonly text: string;
}

export interface Plan {
  readonly at: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly entries: readonly PlanEntry[];
}
