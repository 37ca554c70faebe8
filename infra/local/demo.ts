/**
 * `npm run demo`: the story of Everleaf on the terminal, told by a real environment in a temporary folder: start, log
 * in as KMS, look at the certificate, jump 60 days, watch the renewals, stop. It speaks HTTP and runs openssl, as an
 * agent would; nothing of the product is imported.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DemoEnvironment } from './demo/environment.ts';
import { makeKeyAndRequest, showCertificate, verifyLeaf } from './demo/openssl.ts';
import { chapter, fleetTable, tell } from './demo/telling.ts';

const folder = mkdtempSync(join(tmpdir(), 'everleaf-demo-'));
const environment = new DemoEnvironment(join(folder, 'state'));
const stop = async (code: number) => {
  await environment.stop();
  rmSync(folder, { recursive: true, force: true });
  process.exit(code);
};
process.on('SIGINT', () => void stop(130));
process.on('SIGTERM', () => void stop(143));
process.on('disconnect', () => void stop(1));

try {
  await play();
  await stop(0);
} catch (error) {
  console.error(`\nThe demo cannot go on: ${error instanceof Error ? error.message : String(error)}`);
  await stop(1);
}

async function play(): Promise<void> {
  chapter('1. Start');
  tell('Everleaf starts on this machine: storage, identity provider, two vaults, the functions.');
  await environment.start((line) => console.log(`  ${line}`));

  chapter('2. The authority');
  tell('Its key was born in the authority vault and cannot leave it. Its certificate lives 365 days.');
  console.log(showCertificate(await environment.text('/api/ca-bundle')));

  chapter('3. KMS logs in');
  tell('KMS has nothing but its login file. It makes a key and a certificate request, and sends the token.');
  const { request } = makeKeyAndRequest(folder, 'KMS');
  const loginFile = readFileSync(join(environment.loginDir, 'management', 'KMS.yaml'), 'utf8');
  const token = /^token: (\S+)$/m.exec(loginFile)?.[1] ?? '';
  const answer = await environment.post('/api/login', { token, csr: request });
  tell(`It gets a certificate for 90 days, to be renewed from ${answer['renewAfter']} on:`);
  console.log(showCertificate(String(answer['certificate'])));
  tell('Does it verify, strictly, with nothing but what GET /api/ca-bundle gives?');
  console.log(verifyLeaf(folder, String(answer['certificate']), await environment.text('/api/ca-bundle')));

  chapter('4. The fleet today');
  console.log(fleetTable(await environment.status()));

  chapter('5. Sixty days later');
  tell('Nobody does anything. The clock of the whole environment jumps 60 days, and the timer fires.');
  const { now } = await environment.post('/local/clock', { advance: 'P60D', settle: true });
  tell(`It is ${now}. Every client whose credentials lie in the vault has new ones:`);
  const fleet = await environment.status();
  console.log(fleetTable(fleet));
  tell('The agents that keep their own key, NodeAgent and Mocctl, have never logged in: they still can.');

  chapter('6. Stop');
  tell(`Fleet: ${fleet.overall}. Try it yourself: npm start`);
}
