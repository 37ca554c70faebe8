import { app, type InvocationContext } from '@azure/functions';
import { inTimerRun } from '../shared/adapters/system/timer-run.ts';
import { getApp } from '../shared/app.ts';
import { publishCrl } from '../shared/use-cases/publish-crl.ts';
import { runTimer } from '../shared/use-cases/run-timer.ts';

app.timer('publish-crl', {
  schedule: '%PUBLISH_CRL_SCHEDULE%',
  handler: (_timer, context: InvocationContext) =>
    inTimerRun(context, (run) => runTimer(getApp().deps, run, 'publish-crl', publishCrl)),
});
