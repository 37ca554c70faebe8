/**
 * The program behind `npm start`: everything Everleaf needs, on one machine. With the argument `services` it is the one behind
 * `npm run services`: all of that but the functions host.
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installShiftedDate } from '../clock/shifted-date.ts';
import type { Command } from './command.ts';
import { runEnvironment } from './environment.ts';
import { type Environment, FILES } from './environment-file.ts';
import { RunFailed } from './run-failed.ts';
import { readSupervisorSettings } from './settings.ts';

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
    const command: Command = process.argv[2] === 'services' ? 'services' : 'start';
    const complaints = await runEnvironment({
      command,
      settings: readSupervisorSettings(process.env, process.cwd()),
      checkout: fileURLToPath(new URL('../../../', import.meta.url)),
      say: (line) => console.log(line),
      onReady: (environment) =>
        console.log(command === 'start' ? readyMessage(environment) : servicesMessage(environment)),
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

function readyMessage({ baseUrl, stateDir }: Environment): string {
  return `
Everleaf is ready at ${baseUrl}

  The fleet     curl -H "Authorization: Bearer $(cat ${shown(stateDir, FILES.operatorToken)})" ${baseUrl}/api/status
${places(stateDir)}
`;
}

function servicesMessage({ baseUrl, stateDir, clock }: Environment): string {
  return `
Everleaf's services are ready for a functions host at ${baseUrl}

  The host      func start   (its settings stand in local.settings.json)
  The clock     curl -d '{ "advance": "P1D" }' ${clock.url}
${places(stateDir)}
`;
}

function places(stateDir: string): string {
  return `  Login files   ${shown(stateDir, 'login/management/')}
  CA bundle     ${shown(stateDir, FILES.caBundle)}
  Logs          ${shown(stateDir, 'logs/')}
  Stop          Ctrl-C`;
}

/** A path in the state directory, as short as the reader's own folder allows. */
function shown(stateDir: string, name: string): string {
  const path = `${stateDir}/${name}`;
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
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
