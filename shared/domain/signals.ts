/**
 * Lines of the log that alerts are built on, and what stands in them. The alerts read lines and not metrics: the platform
 * collects lines without any SDK, and host.json keeps them out of sampling. A line begins with its signal; JSON follows.
 */
export const SIGNALS = {
  /** `{ timer }`: the heartbeat of a timer. Silence is what is alerted. */
  timerSucceeded: 'everleaf.timer.succeeded',
  /** `{ <code>: <count> }`: what is wrong with the fleet, in the codes of `GET /api/status`; `{}` when nothing is. */
  reasons: 'everleaf.reasons',
  /**
   * `{ type, outcome, reason, count, cluster, name }`: an event of a cluster's or the fleet's audit log, when it was
   * written; of a renewal that has failed also `{ kind, attempts }`.
   */
  event: 'everleaf.event',
} as const;

/** What `everleaf.reasons` says beside the reasons of a status: renewal windows that closed without a renewal. */
export const NOT_RENEWED_IN_TIME = 'NotRenewedInTime';
