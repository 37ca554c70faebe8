/**
 * Every number that Everleaf tells about itself, in the style of OpenTelemetry (general metric semantic conventions): dots
 * between words, the unit beside the name (UCUM), labels of few values. Moments are seconds since 1970.
 */

export interface MetricDefinition {
  readonly kind: 'gauge' | 'counter' | 'histogram';
  /** UCUM; what stands in braces is a word and no unit. */
  readonly unit: string;
  readonly description: string;
}

export const METRICS = {
  'everleaf.credential.not_after': {
    kind: 'gauge',
    unit: 's',
    description: 'When a credential ends.',
  },
  'everleaf.credential.renew_at': {
    kind: 'gauge',
    unit: 's',
    description: 'When a credential is to be renewed.',
  },
  'everleaf.credential.overdue': {
    kind: 'gauge',
    unit: '{credential}',
    description: 'Credentials whose renewal window has closed without a renewal.',
  },
  'everleaf.identities': { kind: 'gauge', unit: '{identity}', description: 'Identities in a state.' },
  'everleaf.authority.not_after': { kind: 'gauge', unit: 's', description: 'When a trusted authority ends.' },
  'everleaf.crl.next_update': {
    kind: 'gauge',
    unit: 's',
    description: 'When the published revocation list of an authority ends.',
  },
  'everleaf.responder.not_after': {
    kind: 'gauge',
    unit: 's',
    description: 'When the OCSP responder of an authority ends; 0 while there is none.',
  },
  'everleaf.timer.last_success': {
    kind: 'gauge',
    unit: 's',
    description: 'When a timer last succeeded; 0 while it never has.',
  },
  'everleaf.queue.waiting': {
    kind: 'gauge',
    unit: '{message}',
    description: 'Messages of the work queue that wait, about.',
  },
  'everleaf.queue.poison': {
    kind: 'gauge',
    unit: '{message}',
    description: 'Messages that were given up on, about.',
  },
  'everleaf.renewals': {
    kind: 'counter',
    unit: '{renewal}',
    description: 'Renewals of certificates and tokens that were done or have failed.',
  },
  'everleaf.login.denied': {
    kind: 'counter',
    unit: '{login}',
    description: 'Logins that were refused.',
  },
  'everleaf.recovery.used': {
    kind: 'counter',
    unit: '{recovery}',
    description: 'Ended certificates that were renewed with proof of their key.',
  },
  'everleaf.vault.calls': {
    kind: 'counter',
    unit: '{call}',
    description: 'Requests to a vault, each try counted, by the status of the answer.',
  },
  'everleaf.vault.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'How long a vault took to answer.',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricName = keyof typeof METRICS;

/** The metrics of one kind. */
export type NameOf<Kind extends MetricDefinition['kind']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['kind'] extends Kind ? Name : never;
}[MetricName];

export type Labels = Readonly<Record<string, string>>;

/** One value of a metric. */
export interface Point {
  readonly labels: Labels;
  readonly value: number;
}

/** All values of one gauge or counter. */
export interface Family<Kind extends 'gauge' | 'counter' = 'gauge' | 'counter'> {
  readonly name: NameOf<Kind>;
  readonly points: readonly Point[];
}

/** How values of a histogram lie under one set of labels. */
export interface Distribution {
  readonly labels: Labels;
  /** How many there are that are not above each of `HISTOGRAM_BOUNDS`. */
  readonly atMost: readonly number[];
  readonly count: number;
  readonly sum: number;
}

/** All values of one histogram. */
export interface HistogramFamily {
  readonly name: NameOf<'histogram'>;
  readonly distributions: readonly Distribution[];
}

/** Seconds: those that OpenTelemetry's HTTP conventions propose for the length of requests. */
export const HISTOGRAM_BOUNDS = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
] as const;
