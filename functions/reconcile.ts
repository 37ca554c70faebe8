import { app, type InvocationContext } from '@azure/functions';
import { inTimerRun } from '../shared/adapters/system/timer-run.ts';
import { getApp } from '../shared/app.ts';
import { reconcile } from '../shared/use-cases/reconcile.ts';
import { runTimer } from '../shared/use-cases/run-timer.ts';

app.timer('reconcile', {
  schedule: '%RECONCILE_SCHEDULE%',
  handler: (_timer, context: InvocationContext) =>
    inTimerRun(context, (run) => runTimer(getApp().deps, run, 'reconcile', reconcile)),
});
