import type { IdentityState } from '../domain/identity-status.ts';
import type { TimerStatus } from './get-status.ts';

export interface Reason {
  readonly code: string;
  readonly text: string;
  readonly count: number;
}

export interface FleetJudgement {
  readonly overall: 'ok' | 'warning' | 'critical';
  readonly reasons: readonly Reason[];
}

export interface Graded extends Reason {
  readonly grade: 'warning' | 'critical';
}

/** Sums a fleet up: what is wrong, the worst first, and how bad that is. */
export function judgeFleet(
  totals: {
    readonly byState: Readonly<Record<IdentityState, number>>;
    /** Identities with an instance that is locked. */
    readonly locked: number;
    /** Identities whose token is due and nobody's to rotate but an operator's. */
    readonly unrotated: number;
  },
  timers: readonly TimerStatus[],
  queue: { readonly poison: number },
  others: readonly Graded[],
  clustersNotUpdated: number,
  hasBackups: boolean,
): FleetJudgement {
  const { byState } = totals;
  const found: Graded[] = [
    {
      grade: 'critical',
      code: 'IdentitiesExpired',
      text: 'identities hold a credential that has expired',
      count: byState.CertificateExpired + byState.TokenExpired + byState.BothExpired,
    },
    {
      grade: 'critical',
      code: 'PoisonQueue',
      text: 'messages were given up on and lie in the poison queue',
      count: queue.poison,
    },
    {
      grade: 'critical',
      code: 'InstancesLocked',
      text: 'identities have an instance whose key two may hold; an operator looks and unlocks or revokes it',
      count: totals.locked,
    },
    {
      grade: 'warning',
      code: 'RenewalsFailing',
      text: 'identities wait for another try',
      count: byState.Retrying,
    },
    {
      grade: 'warning',
      code: 'AgentsDue',
      text: 'agents should renew and have not',
      count: byState.WaitingForAgent,
    },
    {
      grade: 'warning',
      code: 'TokensUnrotated',
      text: 'identities have a token that is due and that only an operator rotates',
      count: totals.unrotated,
    },
    {
      grade: 'warning',
      code: 'ClustersNotUpdated',
      text: 'clusters were not updated for longer than UPDATE_REMINDER_DAYS',
      count: clustersNotUpdated,
    },
    {
      grade: 'warning',
      code: 'TimersOverdue',
      text: 'timers have missed two ticks or more',
      count: timers.filter(({ overdue }) => overdue).length,
    },
    {
      grade: 'warning',
      code: 'BackupNotConfigured',
      text: 'no backup is written: BACKUP_RECIPIENTS names nobody who could open one',
      count: hasBackups ? 0 : 1,
    },
    ...others,
  ];
  const reasons = found.filter(({ count }) => count > 0);
  const isCritical = reasons.some(({ grade }) => grade === 'critical');
  return {
    overall: isCritical ? 'critical' : reasons.length > 0 ? 'warning' : 'ok',
    reasons: reasons.map(({ code, text, count }) => ({ code, text, count })),
  };
}
