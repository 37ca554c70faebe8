import assert from 'node:assert/strict';
import test from 'node:test';
import { ChallengedClient } from '../../../shared/adapters/key-vault/challenged-client.ts';

/** A call that ends when the test says so, and notes the order in which calls begin. */
function heldCalls() {
  const begun: string[] = [];
  const ends = new Map<string, (error?: unknown) => void>();
  const call = (name: string) => (client: object) =>
    new Promise<object>((resolve, reject) => {
      begun.push(name);
      ends.set(name, (error) => (error === undefined ? resolve(client) : reject(error)));
    });
  const end = async (name: string, error?: unknown) => {
    ends.get(name)?.(error);
    await new Promise(setImmediate);
  };
  return { begun, call, end };
}

test('the first call goes alone, and all that waited run side by side after it', async () => {
  const { begun, call, end } = heldCalls();
  const client = new ChallengedClient(() => ({}));
  const calls = ['first', 'second', 'third'].map((name) => client.call(call(name)));
  await new Promise(setImmediate);
  assert.deepEqual(begun, ['first']);
  await end('first');
  assert.deepEqual(begun, ['first', 'second', 'third']);
  await end('third');
  await end('second');
  assert.equal(new Set(await Promise.all(calls)).size, 1);
});

test('a first call that never got past the challenge makes way for the next, with a fresh client', async () => {
  const { begun, call, end } = heldCalls();
  const client = new ChallengedClient(() => ({}));
  const first = client.call(call('first'));
  const second = client.call(call('second'));
  const third = client.call(call('third'));
  const refused = assert.rejects(first, /no token/);
  await end('first', new Error('no token'));
  await refused;
  assert.deepEqual(begun, ['first', 'second']);
  await end('second');
  await end('third');
  assert.equal(await second, await third);
});

test('a first call that the vault answered with an error has learned what there is to learn', async () => {
  const { begun, call, end } = heldCalls();
  const client = new ChallengedClient(() => ({}));
  const first = client.call(call('first'));
  const rest = [client.call(call('second')), client.call(call('third'))];
  const refused = assert.rejects(first);
  await end('first', { statusCode: 404 });
  await refused;
  assert.deepEqual(begun, ['first', 'second', 'third']);
  await end('second');
  await end('third');
  await Promise.all(rest);
});
