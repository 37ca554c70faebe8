import { app, type InvocationContext } from '@azure/functions';
import { readWorkItem } from '../shared/adapters/storage/work-message.ts';
import { inTimerRun } from '../shared/adapters/system/timer-run.ts';
import { getApp } from '../shared/app.ts';
import { doMessage } from '../shared/use-cases/do-message.ts';

app.storageQueue('work', {
  queueName: 'credential-work',
  connection: 'RECORD_STORAGE',
  handler: (message: unknown, context: InvocationContext) =>
    inTimerRun(context, (run) => doMessage(getApp().deps, run, readWorkItem(message))),
});
