import { app, type InvocationContext } from '@azure/functions';
import { readVaultEvent } from '../shared/adapters/storage/vault-event-message.ts';
import { timerRun } from '../shared/adapters/system/timer-run.ts';
import { getApp } from '../shared/app.ts';
import { heedHint } from '../shared/use-cases/heed-hint.ts';

app.storageQueue('vault-event', {
  queueName: 'vault-events',
  connection: 'RECORD_STORAGE',
  handler: async (message: unknown, context: InvocationContext) => {
    await heedHint(getApp().deps, timerRun(context), readVaultEvent(message));
  },
});
