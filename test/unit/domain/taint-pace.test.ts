import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Taint } from '../../../shared/domain/authority.ts';
import { type PaceFacts, planPace } from '../../../shared/domain/taint-pace.ts';

const START = new Date('2026-11-21T08:00:00Z');
const minutes = (count: number) => new Date(START.getTime() + count * 60_000);

const TAINT: Taint = {
  reason: 'a laptop was lost',
  requestedBy: 'somebody',
  pausedAt: null,
  operationId: '11'.repeat(16),
  waveAt: null,
  waves: 0,
  waveFrom: 0,
  waveTo: 0,
  isWaveDone: true,
  sweptAt: null,
};

function pace(taint: Partial<Taint> = {}, facts: Partial<PaceFacts> = {}) {
  const rest = { isReplaced: true, total: 250, waveSize: 100, waveMinutes: 15, now: START };
  return planPace({ taint: { ...TAINT, ...taint }, ...rest, ...facts });
}

const WAITS = { next: 'wait', until: null } as const;

test('The first wave begins at once, and the last one has what is left', () => {
  assert.deepEqual(pace(), { next: 'wave', from: 0, to: 100 });
  assert.deepEqual(pace({ waveAt: START, waveTo: 200 }, { now: minutes(15) }), {
    next: 'wave',
    from: 200,
    to: 250,
  });
});

test('Nobody is asked while an operator has paused it, or nobody else signs, or the vaults are at work', () => {
  assert.deepEqual(pace({ pausedAt: START }), { ...WAITS, reason: 'an operator has paused it' });
  assert.deepEqual(pace({}, { isReplaced: false }), { ...WAITS, reason: 'no other authority signs yet' });
  assert.deepEqual(pace({ waveAt: START, waveTo: 100, isWaveDone: false }, { now: minutes(60) }), {
    ...WAITS,
    reason: 'the vaults are at work on a wave',
  });
});

test('A wave never begins sooner than so many minutes after the one before it', () => {
  const taint = { waveAt: START, waves: 1, waveTo: 100 };
  assert.deepEqual(pace(taint, { now: minutes(14) }), {
    next: 'wait',
    until: minutes(15),
    reason: 'the next wave has its time',
  });
  assert.equal(pace(taint, { now: minutes(15) }).next, 'wave');
});

test('After the last wave the fleet is searched, and again every hour', () => {
  const done = { waveAt: START, waves: 3, waveTo: 250 };
  assert.equal(pace(done, { now: minutes(14) }).next, 'wait');
  assert.equal(pace(done, { now: minutes(15) }).next, 'sweep');
  const swept = { ...done, sweptAt: minutes(15) };
  assert.equal(pace(swept, { now: minutes(74) }).next, 'wait');
  assert.equal(pace(swept, { now: minutes(75) }).next, 'sweep');
});

test('Where nobody had a certificate of it, the fleet is searched at once and then every hour', () => {
  assert.equal(pace({}, { total: 0 }).next, 'sweep');
  assert.equal(pace({ sweptAt: START }, { total: 0, now: minutes(59) }).next, 'wait');
  assert.equal(pace({ sweptAt: START }, { total: 0, now: minutes(60) }).next, 'sweep');
});
