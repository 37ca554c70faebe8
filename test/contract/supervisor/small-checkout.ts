/**
 * A checkout with small programs in the place of the vault stand-in, the first start and the functions host; storage and
 * identity provider are the real ones. What each program saw, it appends to a journal.
 */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LOCAL = fileURLToPath(new URL('../../../infra/local', import.meta.url));
const CHILD = JSON.stringify(join(LOCAL, 'process/child.ts'));
const JOURNAL = `
import { appendFileSync } from 'node:fs';
const note = (event, facts) =>
  appendFileSync(journal, JSON.stringify({ event, now: Date.now(), pid: process.pid, ...facts }) + '\\n');
`;

export interface Entry {
  readonly event: string;
  readonly now: number;
  readonly pid: number;
  readonly [fact: string]: unknown;
}

/** @param firstStart the body of the first start's program, which has `note` and `journal` */
export function makeCheckout(checkout: string, firstStart = ''): void {
  const journal = `const journal = ${JSON.stringify(journalOf(checkout))};`;
  mkdirSync(join(checkout, 'infra/local/vault'), { recursive: true });
  mkdirSync(join(checkout, 'infra/local/host'), { recursive: true });
  symlinkSync(join(LOCAL, 'storage'), join(checkout, 'infra/local/storage'));
  symlinkSync(join(LOCAL, 'issuer'), join(checkout, 'infra/local/issuer'));
  cpSync(join(dirname(LOCAL), 'role-definitions.json'), join(checkout, 'infra/role-definitions.json'));
  writeFileSync(join(checkout, 'package.json'), '{ "version": "9.8.7", "type": "module" }');
  const head = `${JOURNAL} ${journal}`;
  writeFileSync(
    join(checkout, 'infra/local/vault/main.ts'),
    `${head}
     import { runChild } from ${CHILD};
     await runChild(async (config) => {
       note('vault started', { config });
       const urls = config.vaults.map(({ name, port }) => [name, 'http://127.0.0.1:' + port]);
       const keepAlive = setInterval(() => undefined, 1000);
       return {
         info: { vaults: Object.fromEntries(urls) },
         async stop() { clearInterval(keepAlive); note('vault stopped', {}); },
       };
     });`,
  );
  writeFileSync(
    join(checkout, 'infra/local/first-start.ts'),
    `${head}
     note('first start', { environment: process.env });
     console.log('made the authority');
     ${firstStart}`,
  );
  writeFileSync(join(checkout, 'infra/local/host/main.ts'), `${head} ${HOST}`);
}

// Answers /api/ca-bundle, and /advance?ms= by asking the supervisor as the real host does.
const HOST = `
import { createServer } from 'node:http';
import { runChild } from ${CHILD};
await runChild(async (config) => {
  note('functions started', { config, environment: process.env });
  let asked = 0;
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://localhost');
    if (url.pathname === '/api/ca-bundle') return response.end('-----BEGIN CERTIFICATE-----');
    const id = String(++asked);
    const answered = (message) => {
      if (message.type !== 'advanced' || message.id !== id) return;
      process.off('message', answered);
      response.end(JSON.stringify({ ...message, now: Date.now() }));
    };
    process.on('message', answered);
    process.send({ type: 'advance', id, ms: Number(url.searchParams.get('ms')) });
  });
  await new Promise((resolve) => server.listen(config.port, '127.0.0.1', resolve));
  return {
    info: { baseUrl: 'http://127.0.0.1:' + config.port, functions: [] },
    async stop() { server.close(); server.closeAllConnections(); note('functions stopped', {}); },
  };
});`;

function journalOf(checkout: string): string {
  return join(checkout, 'journal');
}

export function readJournal(checkout: string): Entry[] {
  return readFileSync(journalOf(checkout), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Entry);
}
