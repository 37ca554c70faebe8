import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EverleafError, isEverleafError } from '../../../shared/domain/errors.ts';

describe('an error of Everleaf', () => {
  it('has a code and a sentence, and by default nothing else to say', () => {
    const error = new EverleafError('NotFound', 'There is no identity management/KMS.');
    assert.equal(error.code, 'NotFound');
    assert.equal(error.message, 'There is no identity management/KMS.');
    assert.deepEqual(error.details, {});
    assert.equal(error.retryable, false);
    assert.equal(error.retryAfterSeconds, null);
    assert.equal(Object.hasOwn(error, 'cause'), false);
  });

  it('is an Error with a stack and a name of its own', () => {
    const error = new EverleafError('Internal', 'This must not happen.');
    assert.ok(error instanceof Error);
    assert.equal(String(error), 'EverleafError: This must not happen.');
    assert.match(error.stack ?? '', /errors\.test\.ts/);
  });

  it('keeps its details, its cause, and when to try again', () => {
    const cause = new TypeError('socket closed');
    const error = new EverleafError('VaultThrottled', 'The vault asks to wait.', {
      details: { vault: 'clients', attempts: 3, last: null },
      retryable: true,
      retryAfterSeconds: 0,
      cause,
    });
    assert.deepEqual(error.details, { vault: 'clients', attempts: 3, last: null });
    assert.equal(error.retryable, true);
    assert.equal(error.retryAfterSeconds, 0);
    assert.equal(error.cause, cause);
  });
});

describe('the question whether something is an error of Everleaf', () => {
  const error = new EverleafError('Conflict', 'Somebody wrote in between.');

  it('is answered by its kind alone when no code is given', () => {
    assert.equal(isEverleafError(error), true);
    assert.equal(isEverleafError(new Error('Conflict')), false);
  });

  it('is answered by its code when some are given', () => {
    assert.equal(isEverleafError(error, 'Conflict'), true);
    assert.equal(isEverleafError(error, 'NotFound', 'Conflict'), true);
    assert.equal(isEverleafError(error, 'NotFound'), false);
  });

  it('is not taken in by things that only look like one', () => {
    for (const thing of [null, undefined, 'Conflict', { name: 'EverleafError', code: 'Conflict' }]) {
      assert.equal(isEverleafError(thing, 'Conflict'), false);
    }
  });
});
