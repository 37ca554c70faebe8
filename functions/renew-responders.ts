import { app, type InvocationContext } from '@azure/functions';
import { inTimerRun } from '../shared/adapters/system/timer-run.ts';
import { getApp } from '../shared/app.ts';
import { renewResponders } from '../shared/use-cases/renew-responders.ts';
import { runTimer } from '../shared/use-cases/run-timer.ts';

app.timer('renew-responders', {
  schedule: '%RENEW_RESPONDERS_SCHEDULE%',
  handler: (_timer, context: InvocationContext) =>
    inTimerRun(context, (run) => runTimer(getApp().deps, run, 'renew-responders', renewResponders)),
});
