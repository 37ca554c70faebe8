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
  const host = await startHost({ ...config, onClockChange, ...(advance === undefined ? {} : { advance }) });
  return {
    info: { baseUrl: host.baseUrl, functions: host.functions },
    stop: () => host.stop(),
  };
});
