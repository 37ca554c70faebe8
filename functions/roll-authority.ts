import { app, type InvocationContext } from '@azure/functions';
import { inTimerRun } from '../shared/adapters/system/timer-run.ts';
import { getApp } from '../shared/app.ts';
import { rollAuthority } from '../shared/use-cases/roll-authority.ts';
import { runTimer } from '../shared/use-cases/run-timer.ts';

app.timer('roll-authority', {
  schedule: '%ROLL_AUTHORITY_SCHEDULE%',
  handler: (_timer, context: InvocationContext) =>
    inTimerRun(context, (run) => runTimer(getApp().deps, run, 'roll-authority', rollAuthority)),
});
