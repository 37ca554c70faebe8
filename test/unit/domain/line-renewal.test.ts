import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineAfterLogin } from '../../../shared/domain/instance.ts';
import {
  isInForce,
  isLateReplacement,
  isPastRecovery,
  judgeTiming,
  lineAfterRenewal,
} from '../../../shared/domain/line-renewal.ts';
import { after, buildHead, buildIdentity } from '../../support/build-identity.ts';

const POLICY = { recoveryWindowDays: 30, recoveryBudget: 3 };
const HEAD = buildHead({ serialNumber: 'aa', vaultVersion: null });
const LINE = lineAfterLogin(null, buildIdentity(), 'line', { head: HEAD, spkiHash: 'first key' });
const issuedOn = (day: number, serialNumber = 'bb') => ({
  ...buildHead({ serialNumber, issuedAt: after(day), vaultVersion: null }),
  renewCount: 1,
  spkiHash: 'new key',
});

test('A renewal is in time until the last second of the head, and a recovery for thirty days from there', () => {
  assert.equal(judgeTiming(LINE, after(45), POLICY), 'in-time');
  assert.equal(judgeTiming(LINE, new Date(after(90).getTime() - 1), POLICY), 'in-time');
  assert.equal(judgeTiming(LINE, after(90), POLICY), 'recovery');
  assert.equal(judgeTiming(LINE, after(120, -1), POLICY), 'recovery');
  assert.equal(judgeTiming(LINE, after(120), POLICY), 'too-late');
});

test('A certificate is past all recovery when the window after its end is over', () => {
  assert.equal(isPastRecovery(HEAD, after(120, -1), POLICY), false);
  assert.equal(isPastRecovery(HEAD, after(120), POLICY), true);
  assert.equal(isPastRecovery(HEAD, after(90), { recoveryWindowDays: 0 }), true);
});

test('A line that has used its recoveries gets no other', () => {
  assert.equal(judgeTiming({ ...LINE, recoveriesUsed: 2 }, after(91), POLICY), 'recovery');
  assert.equal(judgeTiming({ ...LINE, recoveriesUsed: 3 }, after(91), POLICY), 'spent');
  assert.equal(judgeTiming({ ...LINE, recoveriesUsed: 3 }, after(89), POLICY), 'in-time');
});

test('Asking again for the successor of a recovery uses up no other one', () => {
  const line = { ...LINE, recoveriesUsed: 3, successor: issuedOn(91) };
  assert.equal(judgeTiming(line, after(92), POLICY), 'recovery-again');
  assert.equal(judgeTiming({ ...line, successor: issuedOn(45) }, after(92), POLICY), 'spent');
  assert.equal(judgeTiming(line, after(120), POLICY), 'too-late');
});

test('A renewal gives the line a successor and counts recoveries in a row', () => {
  const { spkiHash, ...head } = issuedOn(45);
  const used = { ...LINE, recoveriesUsed: 2 };
  const renewed = lineAfterRenewal(used, { head, spkiHash }, 'in-time');
  assert.deepEqual(renewed, {
    ...LINE,
    successor: { ...head, spkiHash },
    recoveriesUsed: 0,
    lastSeenAt: after(45),
  });
  assert.equal(lineAfterRenewal(used, { head, spkiHash }, 'recovery').recoveriesUsed, 3);
  assert.equal(lineAfterRenewal(used, { head, spkiHash }, 'recovery-again').recoveriesUsed, 2);
});

test('Replacing a successor is late more than seven days after it was issued', () => {
  const line = { ...LINE, successor: issuedOn(40) };
  assert.equal(isLateReplacement(LINE, after(80)), false);
  assert.equal(isLateReplacement(line, after(47)), false);
  assert.equal(isLateReplacement(line, after(47, 1)), true);
});

test('A certificate is in force while it is head or successor and has not ended', () => {
  const successor = issuedOn(40);
  const line = { ...LINE, successor };
  assert.equal(isInForce(line, HEAD, after(89)), true);
  assert.equal(isInForce(line, HEAD, after(90)), false);
  assert.equal(isInForce(line, successor, after(90)), true);
  assert.equal(isInForce(line, issuedOn(40, 'cc'), after(41)), false);
});
