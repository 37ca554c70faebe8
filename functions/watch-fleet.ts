import { app, type InvocationContext } from '@azure/functions';
import { inTimerRun } from '../shared/adapters/system/timer-run.ts';
import { getApp } from '../shared/app.ts';
import { runTimer } from '../shared/use-cases/run-timer.ts';
import { watchFleet } from '../shared/use-cases/watch-fleet.ts';

app.timer('watch-fleet', {
  schedule: '%WATCH_FLEET_SCHEDULE%',
  handler: (_timer, context: InvocationContext) =>
    inTimerRun(context, (run) => runTimer(getApp().deps, run, 'watch-fleet', watchFleet)),
});
