import { app, type InvocationContext } from '@azure/functions';
import { inTimerRun } from '../shared/adapters/system/timer-run.ts';
import { getApp } from '../shared/app.ts';
import { runTimer } from '../shared/use-cases/run-timer.ts';
import { writeBackup } from '../shared/use-cases/write-backup.ts';

app.timer('backup', {
  schedule: '%BACKUP_SCHEDULE%',
  handler: (_timer, context: InvocationContext) =>
    inTimerRun(context, (run) => runTimer(getApp().deps, run, 'backup', writeBackup)),
});
