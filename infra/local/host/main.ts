import { onClockChange } from '../clock/shifted-date.ts';
import { runChild } from '../process/child.ts';
import { stackOf } from './core/core-errors.ts';
import { type HostOptions, startHost } from './start-host.ts';
import { supervisorAdvance } from './supervisor-clock.ts';

type HostProcessConfig = Pick<
  HostOptions,
  'appDir' | 'port' | 'masterKey' | 'hostId' | 'storageConnectionString'
>;

// As the real worker: what nobody caught ends the process, an unhandled rejection included (src/Worker.ts).
process.on('uncaughtException', (error) => {
  process.stderr.write(`Worker uncaught exception: ${stackOf(error)}\n`);
  process.exit(1);
});

await runChild<HostProcessConfig>(async (config) => {
  const advance = supervisorAdvance();
  const host = await startHost({
    ...config,
    onClockChange,
    // Host and worker are one process here, so what restarts the worker in Azure ends both: whoever started this
    // sees it, instead of a host in which a function goes on that counts as failed.
    onFunctionTimeout: () => process.exit(1),
    ...(advance === undefined ? {} : { advance }),
  });
  return {
    info: { baseUrl: host.baseUrl, functions: host.functions },
    stop: () => host.stop(),
  };
});
