/** Whoever has curl, openssl and jq has an agent: `agent-year.sh` needs nothing of ours. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LocalEnvironment } from '../support/local-environment.ts';
import { makeStateDirectory, removeStateDirectory } from '../support/local-run.ts';

const SCRIPT = fileURLToPath(new URL('agent-year.sh', import.meta.url));
const { PATH, TMPDIR } = process.env;

let stateDir: string;
let everleaf: LocalEnvironment;

before(async () => {
  stateDir = makeStateDirectory();
  everleaf = await LocalEnvironment.start(stateDir);
});
after(async () => {
  await everleaf?.stop();
  await removeStateDirectory(stateDir);
});

it('a shell script lives an agent’s year with curl, openssl and jq', async (t) => {
  const { baseUrl, files } = everleaf.env;
  const loginFile = join(files.loginDir, 'management/NodeAgent.yaml');
  const script = spawn('bash', [SCRIPT, baseUrl, loginFile, files.operatorToken, 'management'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH, ...(TMPDIR === undefined ? {} : { TMPDIR }) },
  });
  const [story, errors, [code]] = await Promise.all([
    text(script.stdout),
    text(script.stderr),
    once(script, 'close'),
  ]);
  for (const line of story.trimEnd().split('\n')) t.diagnostic(line);
  assert.equal(code, 0, errors);
  assert.match(story, /^day 355 {2}the end: 7 renewals, [4-7] rotations$/m);
});
