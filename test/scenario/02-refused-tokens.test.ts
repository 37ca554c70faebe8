import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32, fromBase64Url, toBase64Url } from '../../shared/domain/encoding.ts';
import { isEverleafError } from '../../shared/domain/errors.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { KMS, logIn, requestOf, tokenFromVault } from '../support/agent.ts';
import { recordCalls } from '../support/intercepted-ports.ts';
import { memoryWorld } from '../support/memory-world.ts';

/** The token with one byte of its 52 changed, and a checksum that is right again when `isMended`. */
function altered(token: string, position: number, isMended: boolean): string {
  const bytes = fromBase64Url(token.slice('elt1_'.length));
  assert.ok(bytes !== null);
  bytes[position] = (bytes[position] ?? 0) ^ 1;
  if (isMended) new DataView(bytes.buffer).setUint32(48, crc32(bytes.subarray(0, 48)));
  return `elt1_${toBase64Url(bytes)}`;
}

/** The source is looked up, then the token; the refusal is counted against the source and in the audit log. */
const REFUSAL_CALLS = ['counters.count', 'identities.token', 'counters.add', 'identities.countEvent'];

const REFUSED: readonly { title: string; reason: string; make: (token: string) => string }[] = [
  { title: 'an empty one', reason: 'malformed', make: () => '' },
  { title: 'any text', reason: 'malformed', make: () => 'let me in' },
  { title: 'a very long one', reason: 'malformed', make: (token) => token + 'A'.repeat(10_000) },
  { title: 'a truncated one', reason: 'malformed', make: (token) => token.slice(0, -1) },
  { title: 'one with a space behind it', reason: 'malformed', make: (token) => `${token} ` },
  { title: 'one of another version', reason: 'malformed', make: (token) => token.replace('elt1_', 'elt2_') },
  { title: 'one with a wrong checksum', reason: 'checksum', make: (token) => altered(token, 51, false) },
  { title: 'a mistyped one', reason: 'checksum', make: (token) => altered(token, 20, false) },
  { title: 'one with another secret', reason: 'wrong-secret', make: (token) => altered(token, 20, true) },
  {
    title: 'one with the last byte of the secret changed',
    reason: 'wrong-secret',
    make: (token) => altered(token, 47, true),
  },
  { title: 'one with an unknown id', reason: 'unknown-id', make: (token) => altered(token, 5, true) },
  { title: 'one of another shard', reason: 'unknown-id', make: (token) => altered(token, 0, true) },
];

for (const { title, reason, make } of REFUSED) {
  for (const withRequest of [true, false]) {
    test(`02 of tokens that are refused, ${title} ${withRequest ? 'with' : 'without'} a request gets the one answer after the same calls`, async () => {
      const world = memoryWorld();
      await firstStart(world.deps, world.run);
      const token = make(tokenFromVault(world, KMS));
      world.lines.length = 0;
      const { deps, calls } = recordCalls(world.deps);
      const error = await logIn(world, token, withRequest ? requestOf(KMS, 'replica') : null, deps).catch(
        (caught: unknown) => caught,
      );
      assert.ok(isEverleafError(error, 'InvalidToken'));
      assert.equal(error.message, 'The token is not valid.');
      assert.deepEqual(error.details, {});
      assert.deepEqual(calls, REFUSAL_CALLS);
      // The exact reason is for the log alone.
      assert.deepEqual(world.lines, [`warn: Refused a login. ${JSON.stringify({ reason, source: null })}`]);
    });
  }
}
