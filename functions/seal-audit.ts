import { app, type InvocationContext } from '@azure/functions';
import { inTimerRun } from '../shared/adapters/system/timer-run.ts';
import { getApp } from '../shared/app.ts';
import { runTimer } from '../shared/use-cases/run-timer.ts';
import { sealAudit } from '../shared/use-cases/seal-audit.ts';

app.timer('seal-audit', {
  schedule: '%AUDIT_SEAL_SCHEDULE%',
  handler: (_timer, context: InvocationContext) =>
    inTimerRun(context, (run) => runTimer(getApp().deps, run, 'seal-audit', sealAudit)),
});
