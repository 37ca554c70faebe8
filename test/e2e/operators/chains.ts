import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { LocalEnvironment } from '../../support/local-environment.ts';

const SCRIPT = fileURLToPath(new URL('chains.sh', import.meta.url));
const { PATH, TMPDIR } = process.env;

/** What peers accept that know only the authority before the one that signs. */
export function chains(environment: () => LocalEnvironment): void {
  it('a chain through the cross certificate is accepted with only the old authority trusted', async () => {
    const { baseUrl, files } = environment().env;
    const script = spawn('bash', [SCRIPT, baseUrl, files.operatorToken], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH, ...(TMPDIR === undefined ? {} : { TMPDIR }) },
    });
    const [story, errors, [code]] = await Promise.all([
      text(script.stdout),
      text(script.stderr),
      once(script, 'close'),
    ]);
    assert.equal(code, 0, story + errors);
    assert.equal(story, 'old authority alone: leaf.pem: OK\npresent bundle: leaf.pem: OK\n');
  });
}
