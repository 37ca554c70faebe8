/** The program behind `npm start`: everything Everleaf needs, on one machine. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installShiftedDate } from '../clock/shifted-date.ts';
import { RunFailed, runEnvironment } from './environment.ts';
import { FILES } from './environment-file.ts';
import { readSupervisorSettings, type SupervisorSettings } from './settings.ts';

const LOG_LINES = 20;

installShiftedDate();
// A reader that has gone (`npm start | head`) must not end the environment.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

const controller = new AbortController();
const stop = (why: string) => {
  if (controller.signal.aborted) return;
  console.log(`${why}: stopping in good order, a few seconds`);
  controller.abort();
};
process.on('SIGINT', () => stop('Interrupted'));
process.on('SIGTERM', () => stop('Asked to stop'));
process.on('SIGHUP', () => stop('The terminal is gone'));
process.on('disconnect', () => stop('The program that started this is gone'));

process.exit(await main());

async function main(): Promise<number> {
  try {
    const settings = readSupervisorSettings(process.env, process.cwd());
    const complaints = await runEnvironment({
      settings,
      checkout: fileURLToPath(new URL('../../../', import.meta.url)),
      say: (line) => console.log(line),
      onReady: (baseUrl) => console.log(readyMessage(baseUrl, settings)),
      stop: controller.signal,
    });
    for (const complaint of complaints) console.error(complaint);
    console.log('Everleaf has stopped.');
    return complaints.length === 0 ? 0 : 1;
  } catch (error) {
    console.error(`\nEverleaf is not running: ${error instanceof Error ? error.message : String(error)}`);
    if (error instanceof RunFailed && error.logFile !== null) console.error(logExcerpt(error.logFile));
    return 1;
  }
}

function readyMessage(baseUrl: string, { stateDir }: SupervisorSettings): string {
  const shown = (name: string) => {
    const path = `${stateDir}/${name}`;
    const short = relative(process.cwd(), path);
    return short.startsWith('..') ? path : short;
  };
  return `
Everleaf is ready at ${baseUrl}

  The fleet     curl -H "Authorization: Bearer $(cat ${shown(FILES.operatorToken)})" ${baseUrl}/api/status
  Login files   ${shown('login/management/')}
  CA bundle     ${shown(FILES.caBundle)}
  Logs          ${shown('logs/')}
  Stop          Ctrl-C
`;
}

/** The end of a log, which most often says it all. */
function logExcerpt(logFile: string): string {
  try {
    const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-LOG_LINES);
    if (lines.join('') === '') return '';
    return `\nThe end of ${logFile}:\n${lines.map((line) => `  ${line}`).join('\n')}`;
  } catch {
    return '';
  }
}
