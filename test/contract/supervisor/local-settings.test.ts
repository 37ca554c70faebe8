import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { addClaim } from '../../../infra/local/supervisor/claims.mjs';
import {
  refuseForeignLocalSettings,
  removeLocalSettings,
  writeLocalSettings,
} from '../../../infra/local/supervisor/local-settings.ts';

let checkout: string;
let file: string;
const stateDir = () => join(checkout, '.everleaf');
const otherDir = () => join(checkout, 'other');

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'everleaf-local-settings-'));
  file = join(checkout, 'local.settings.json');
});
afterEach(() => rmSync(checkout, { recursive: true, force: true }));

describe('local.settings.json', () => {
  it('holds the settings, the port, and where to follow the time, for the owner alone', () => {
    writeLocalSettings(checkout, stateDir(), { TRUST_DOMAIN: 'a.b' }, 7071);
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), {
      IsEncrypted: false,
      Values: {
        FUNCTIONS_WORKER_RUNTIME: 'node',
        TRUST_DOMAIN: 'a.b',
        EVERLEAF_CLOCK_FILE: join(stateDir(), 'clock.json'),
      },
      Host: { LocalHttpPort: 7071 },
    });
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it('is replaced and removed by runs on the same state directory', () => {
    writeLocalSettings(checkout, stateDir(), {}, 7071);
    writeLocalSettings(checkout, stateDir(), {}, 7072);
    assert.match(readFileSync(file, 'utf8'), /7072/);
    removeLocalSettings(checkout, stateDir());
    assert.equal(existsSync(file), false);
    removeLocalSettings(checkout, stateDir());
  });

  it('is not taken from another run that lives, and is from one that was killed', () => {
    writeLocalSettings(checkout, otherDir(), {}, 7071);
    const claims = join(otherDir(), 'claims');
    mkdirSync(claims, { recursive: true });
    const release = addClaim(claims, 'supervisor', process.ppid);
    const refusal = new RegExp(`${otherDir()}: supervisor \\(pid ${process.ppid}\\).*Stop them`);
    assert.throws(() => writeLocalSettings(checkout, stateDir(), {}, 7072), refusal);
    removeLocalSettings(checkout, stateDir());
    assert.match(readFileSync(file, 'utf8'), /7071/);

    release();
    writeLocalSettings(checkout, stateDir(), {}, 7072);
    assert.match(readFileSync(file, 'utf8'), /7072/);
  });

  for (const text of ['{ "Values": { "MY_OWN": "1" } }', '{}', 'null', '{ // a comment\n}']) {
    it(`of a developer's own making is neither overwritten nor removed: ${JSON.stringify(text)}`, () => {
      writeFileSync(file, text);
      assert.throws(
        () => refuseForeignLocalSettings(checkout, stateDir()),
        /not of our making.*Move it away/,
      );
      assert.throws(() => writeLocalSettings(checkout, stateDir(), {}, 7071), /not of our making/);
      removeLocalSettings(checkout, stateDir());
      assert.equal(readFileSync(file, 'utf8'), text);
    });
  }
});
