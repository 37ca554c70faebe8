import assert from 'node:assert/strict';
import type { Shown } from '../openssl-verify.ts';
import type { Report } from './report.ts';

/**
 * Nobody has noticed a rollover: not one handshake was refused but those that status had told of before, and they were
 * those of the agents that were in trouble, of which each side was refused at some time, so the law was awake.
 * @param isAccepted what openssl says of a side of a handshake
 */
export function assertUnnoticed(
  { refusals, troubled, states, samples, largestBundle }: Report,
  isAccepted: (shown: Shown) => boolean,
): void {
  const unforeseen = refusals.filter(({ foretold }) => foretold === null);
  assert.deepEqual(unforeseen, []);
  const others = refusals.filter(
    ({ shownBy, refusedBy }) => !troubled.includes(shownBy) && !troubled.includes(refusedBy),
  );
  assert.deepEqual(others, []);
  const reasons = new Set(refusals.map(({ foretold }) => foretold));
  assert.deepEqual([...reasons].sort(), troubled.length === 0 ? [] : ['bundle', 'certificate']);
  assert.equal(states.filter((state) => state === 'Active').length, 1);
  assert.ok(
    states.every((state) => ['Published', 'Active', 'Retiring', 'Retired', 'Revoked'].includes(state)),
    `${states}`,
  );
  assert.ok(largestBundle <= 3, `a bundle of ${largestBundle}`);
  for (const sample of samples) assert.equal(isAccepted(sample), sample.isAccepted);
}
