import { app, type InvocationContext } from '@azure/functions';
import { inTimerRun } from '../shared/adapters/system/timer-run.ts';
import { getApp } from '../shared/app.ts';
import { runTimer } from '../shared/use-cases/run-timer.ts';
import { tendFleet } from '../shared/use-cases/tend-fleet.ts';

app.timer('renew-due', {
  schedule: '%RENEW_DUE_SCHEDULE%',
  handler: (_timer, context: InvocationContext) =>
    inTimerRun(context, (run) => runTimer(getApp().deps, run, 'renew-due', tendFleet)),
});
