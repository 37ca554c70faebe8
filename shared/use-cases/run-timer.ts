import { errorCodeOf } from '../domain/errors.ts';
import { wholeSecond } from '../domain/instants.ts';
import { SIGNALS } from '../domain/signals.ts';
import { ensureDeployment } from './deployment.ts';
import type { Deps, Run, TimerName } from './deps.ts';
import { firstStart } from './first-start.ts';

/**
 * Runs a timer's work with its heartbeat: when it last started, when it last succeeded and what went wrong are
 * written down, and each success is a line in the log, so that silence itself can be noticed. While the deployment has
 * not had its first start, the timer does that instead: in Azure roles take minutes to arrive after a deployment, and
 * somebody must keep trying.
 */
export async function runTimer(
  deps: Deps,
  run: Run,
  name: TimerName,
  work: (deps: Deps, run: Run) => Promise<unknown>,
): Promise<void> {
  // A new deployment has no table yet that a heartbeat could be written into.
  const { readyAt } = (await deps.fleet.deployment())?.value ?? (await ensureDeployment(deps));
  const startedAt = wholeSecond(deps.clock.now());
  const before = await deps.fleet.timerRun(name);
  const record = {
    v: 1,
    name,
    lastStartedAt: startedAt,
    lastSuccessAt: before?.lastSuccessAt ?? null,
  } as const;
  await deps.fleet.putTimerRun({ ...record, lastErrorCode: before?.lastErrorCode ?? null });
  try {
    if (readyAt === null) await firstStart(deps, run);
    // Null: another run is at it. That one's end is the success, not this one's.
    if ((await work(deps, run)) === null) return;
  } catch (error) {
    await deps.fleet.putTimerRun({ ...record, lastErrorCode: errorCodeOf(error) });
    throw error;
  }
  await deps.fleet.putTimerRun({
    ...record,
    lastSuccessAt: wholeSecond(deps.clock.now()),
    lastErrorCode: null,
  });
  run.log.write('info', SIGNALS.timerSucceeded, { timer: name });
}
