import { app, type InvocationContext } from '@azure/functions';
import { readWorkItem } from '../shared/adapters/storage/work-message.ts';
import { timerRun } from '../shared/adapters/system/timer-run.ts';
import { getApp } from '../shared/app.ts';
import { doWork } from '../shared/use-cases/do-work.ts';

app.storageQueue('work', {
  queueName: 'credential-work',
  connection: 'RECORD_STORAGE',
  handler: (message: unknown, context: InvocationContext) =>
    doWork(getApp().deps, timerRun(context), readWorkItem(message)),
});
