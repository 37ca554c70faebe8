import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { format, inspect } from 'node:util';
import { Secret } from '../../../shared/domain/secret.ts';

const WORD = 'elt1_never-to-be-seen';
const secret = new Secret(WORD);

describe('a secret', () => {
  it('gives its value to who asks for it by name', () => {
    assert.equal(secret.reveal(), WORD);
    const bytes = Uint8Array.of(1, 2, 3);
    assert.equal(new Secret(bytes).reveal(), bytes);
  });

  it('is a placeholder in every kind of text', () => {
    assert.equal(String(secret), '[secret]');
    assert.equal(`${secret}`, '[secret]');
    assert.equal(`token ${secret}`, 'token [secret]');
    assert.equal(['a', secret].join(), 'a,[secret]');
    assert.equal(JSON.stringify({ token: secret }), '{"token":"[secret]"}');
  });

  it('is a placeholder in every format that a log line can ask for', () => {
    assert.equal(inspect(secret), '[secret]');
    assert.equal(inspect({ deep: [{ secret }] }, { depth: 9 }), '{ deep: [ { secret: [secret] } ] }');
    for (const code of ['%s', '%o', '%O', '%j', '%d', '%i', '%f', '']) {
      assert.doesNotMatch(format(code, secret), /never-to-be-seen/, code);
    }
  });

  it('shows nothing to those who look harder', () => {
    for (const options of [{ customInspect: false }, { customInspect: false, showHidden: true }]) {
      assert.doesNotMatch(inspect(secret, options), /never-to-be-seen/);
    }
    assert.deepEqual(Object.getOwnPropertyNames(secret), []);
    assert.deepEqual(Object.entries(secret), []);
    assert.doesNotMatch(JSON.stringify({ ...secret }), /never-to-be-seen/);
    assert.doesNotMatch(inspect(structuredClone(secret)), /never-to-be-seen/);
  });

  it('does not appear in the message of an error about it', () => {
    assert.doesNotMatch(new Error(`Cannot use ${secret}`).message, /never-to-be-seen/);
    assert.doesNotMatch(inspect(new Error('no', { cause: { secret } })), /never-to-be-seen/);
  });
});
