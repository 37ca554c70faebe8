/**
 * Verifies the audit log: every chain of hashes, against the checkpoints that the vault has signed. Shares no code with the
 * server, and believes neither its answers nor its tables.
 *
 *   npm run verify-audit                  the environment of `npm start`: all from <state directory>/environment.json
 *   npm run verify-audit -- --url <base URL> --token-file <file> --checkpoints <directory> --trust <file.pem>
 *
 * The exit code is 0 when the log is whole, 1 when something is wrong with it, 2 when it could not be verified.
 */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  checkpointsInDirectory,
  checkpointsInStorage,
  eventsOverHttp,
  trustedInFile,
  trustedInVault,
} from './audit/sources.ts';
import { type AuditReport, type AuditSources, verifyAuditLog } from './audit/verify-audit-log.ts';

const USAGE =
  'Usage: npm run verify-audit [-- --url <base URL> --token-file <file> --checkpoints <directory> --trust <file.pem>]\n' +
  'Without options it takes everything from environment.json in EVERLEAF_STATE_DIR (.everleaf), which `npm start` writes.';

try {
  process.exitCode = print(await verifyAuditLog(await sourcesFrom(process.argv.slice(2))));
} catch (error) {
  console.error(
    `The audit log could not be verified: ${error instanceof Error ? error.message : String(error)}`,
  );
  process.exitCode = 2;
}

async function sourcesFrom(args: readonly string[]): Promise<AuditSources> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { url: text, 'token-file': text, checkpoints: text, trust: text },
  });
  const { url, 'token-file': tokenFile, checkpoints, trust } = values;
  const given = [url, tokenFile, checkpoints, trust].filter((value) => value !== undefined).length;
  if (given === 0) return localSources(resolve(process.env['EVERLEAF_STATE_DIR'] || '.everleaf'));
  if (url === undefined || tokenFile === undefined || checkpoints === undefined || trust === undefined) {
    throw new Error(`all four options are needed.\n${USAGE}`);
  }
  const token = (await readFile(tokenFile, 'utf8')).trim();
  return {
    events: (query) => eventsOverHttp(url, token, query),
    checkpoints: () => checkpointsInDirectory(checkpoints),
    trusted: () => trustedInFile(trust),
  };
}

/** What of environment.json is needed here. */
interface LocalEnvironment {
  readonly baseUrl: string;
  readonly endpoints: { readonly authorityVault: string };
  readonly storageConnectionString: string;
  readonly files: { readonly readerToken: string };
}

async function localSources(stateDir: string): Promise<AuditSources> {
  const read = (path: string) => readFile(path, 'utf8');
  const file = join(stateDir, 'environment.json');
  const text = await read(file).catch(() => {
    throw new Error(`there is no ${file}: run \`npm start\` first, or say where to look.\n${USAGE}`);
  });
  const { baseUrl, endpoints, storageConnectionString, files } = JSON.parse(text) as LocalEnvironment;
  const readerToken = (await read(files.readerToken)).trim();
  // The person with the portal open: the certificates come from the vault, and not from the app.
  const personToken = (await read(join(stateDir, 'person.token'))).trim();
  return {
    events: (query) => eventsOverHttp(baseUrl, readerToken, query),
    checkpoints: () => checkpointsInStorage(storageConnectionString),
    trusted: () => trustedInVault(endpoints.authorityVault, personToken),
  };
}

function print({ chains, findings }: AuditReport): number {
  for (const { chain, entries, checkpoints, lastCheckpoint } of chains) {
    const found = findings.filter((finding) => finding.chain === chain);
    const last =
      lastCheckpoint === null ? '' : `, the last of entry ${lastCheckpoint.seq} at ${lastCheckpoint.at}`;
    const verdict = found.length === 0 ? 'whole' : 'DAMAGED';
    console.log(
      `${chain}: ${verdict}, ${many(entries, 'entry', 'entries')}, ${many(checkpoints, 'checkpoint', 'checkpoints')}${last}`,
    );
  }
  for (const { chain, damage, text } of findings) console.log(`${chain}: ${damage}: ${text}`);
  console.log(
    findings.length === 0 ? 'The audit log is whole.' : `${many(findings.length, 'finding', 'findings')}.`,
  );
  return findings.length === 0 ? 0 : 1;
}

function many(count: number, one: string, more: string): string {
  return `${count} ${count === 1 ? one : more}`;
}
