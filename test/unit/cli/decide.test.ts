import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nextTry } from '../../../cli/agent/backoff.ts';
import { decide } from '../../../cli/agent/decide.ts';
import { renewalMoment } from '../../../cli/agent/issued.ts';
import { type AgentState, type Current, emptyState, type Pending } from '../../../cli/agent/state.ts';

const day = (n: number) => new Date(Date.parse('2026-11-21T00:00:00Z') + n * 86_400_000);
const at = (n: number) => day(n).toISOString();

const CURRENT: Current = {
  keyPem: '',
  certificatePem: '',
  chainPem: '',
  serialNumber: '01',
  notBefore: at(0),
  notAfter: at(90),
  renewAt: at(40),
};
const PENDING: Pending = { kind: 'renew', keyPem: '', csrPem: '', madeAt: at(40) };
const HEALTHY: AgentState = {
  ...emptyState('KMS'),
  current: CURRENT,
  checkInAt: at(41),
  token: { hash: 'h', expiresAt: at(90), rotateAt: at(42) },
};
const actAt = (n: number, state: Partial<AgentState>, tokenHash: string | null = 'h') =>
  decide({ state: { ...HEALTHY, ...state }, now: day(n), tokenHash }).act;

describe('what an agent does next', () => {
  it('is to log in, while it has nothing', () => {
    assert.equal(decide({ state: emptyState('KMS'), now: day(0), tokenHash: 'h' }).act, 'log-in');
  });

  it('is to wait for what comes first', () => {
    const wait = decide({ state: HEALTHY, now: day(39), tokenHash: 'h' });
    assert.deepEqual(wait, { act: 'wait', until: day(40), for: 'certificate' });
    const renewed = { ...HEALTHY, current: { ...CURRENT, renewAt: at(80) } };
    const then = decide({ state: renewed, now: day(40.5), tokenHash: 'h' });
    assert.deepEqual(then, { act: 'wait', until: day(41), for: 'check-in' });
  });

  it('is the certificate before the token, and the token before the check-in', () => {
    assert.equal(actAt(50, {}), 'renew');
    const current = { ...CURRENT, renewAt: at(80) };
    assert.equal(actAt(50, { current }), 'rotate-token');
    assert.equal(actAt(50, { current }, 'another'), 'check-in');
    assert.equal(actAt(50, { current }, null), 'check-in');
  });

  it('is what was begun, even before its time', () => {
    assert.equal(actAt(1, { pending: PENDING }), 'renew');
    assert.equal(actAt(1, { pending: { ...PENDING, kind: 'login' } }), 'log-in');
    assert.equal(actAt(1, { fallback: { hasFreshKey: false } }), 'log-in');
  });

  it('is nothing that failed, before its next attempt; other things go on meanwhile', () => {
    const retries = { certificate: { attempts: 3, at: at(51) } };
    assert.equal(actAt(50, { retries }), 'rotate-token');
    assert.equal(actAt(50, { retries, token: null, checkInAt: at(60) }), 'wait');
    assert.equal(actAt(51, { retries }), 'renew');
  });

  it('is the renewal alone once the certificate has ended, in the second after notAfter', () => {
    const late = { retries: { certificate: { attempts: 1, at: at(99) } } };
    assert.equal(actAt(90, late), 'rotate-token');
    assert.equal(
      decide({ state: { ...HEALTHY, ...late }, now: new Date(day(90).getTime() + 1000), tokenHash: 'h' }).act,
      'wait',
    );
  });

  it('is to ask for an operator as long as the login file holds the token that was refused', () => {
    const blocked = { code: 'Expired', tokenHash: 'h', retryAt: at(50.25) };
    assert.equal(actAt(50, { blocked }), 'ask-operator');
    assert.equal(actAt(50, { blocked }, 'another'), 'renew');
    assert.equal(actAt(50.25, { blocked }), 'renew', 'an operator may have mended it on the other side');
    assert.equal(actAt(50, { blocked: { ...blocked, tokenHash: '' } }, null), 'ask-operator');
  });
});

describe('the next attempt of an agent', () => {
  const failure = { attempts: 1, now: day(0), endsAt: null, retryAfterSeconds: null, random: 0.5 };
  const minutes = (changes: object) =>
    (nextTry({ ...failure, ...changes }).getTime() - day(0).getTime()) / 60_000;

  it('comes after a random part of a minute that doubles to six hours', () => {
    assert.deepEqual(
      [1, 2, 3, 9, 10, 1000].map((attempts) => minutes({ attempts })),
      [0.5, 1, 2, 128, 180, 180],
    );
  });

  it('comes no later than a quarter of what is left, no sooner than five seconds', () => {
    assert.equal(minutes({ attempts: 20, endsAt: day(0.1) }), 18);
    assert.equal(minutes({ attempts: 20, endsAt: day(-1) }), 180);
    assert.equal(minutes({ random: 0 }), 5 / 60);
  });

  it('comes not before Retry-After, unless that is longer than a day', () => {
    assert.equal(minutes({ retryAfterSeconds: 600 }), 10);
    assert.equal(minutes({ retryAfterSeconds: 10 }), 0.5);
    assert.equal(minutes({ retryAfterSeconds: 1e9 }), 24 * 60);
  });

  it('always comes, and never at once', () => {
    fc.assert(
      fc.property(
        fc.nat(5000),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.integer(),
        (attempts, random, left) => {
          const wait = minutes({ attempts: attempts + 1, random, endsAt: new Date(day(0).getTime() + left) });
          assert.ok(wait >= 5 / 60 && wait <= 360, String(wait));
        },
      ),
    );
  });
});

describe('the moment of a renewal', () => {
  it('is renewAfter and up to an hour, or 1 % of a short life', () => {
    assert.deepEqual(renewalMoment(day(40), day(0), day(90), 0), day(40));
    assert.deepEqual(renewalMoment(day(40), day(0), day(90), 0.5), day(40 + 0.5 / 24));
    assert.deepEqual(renewalMoment(day(0.5), day(0), day(1), 0.5), day(0.5 + 0.005));
  });

  it('is half of its life for a server that names a moment after its end', () => {
    assert.deepEqual(renewalMoment(day(100), day(0), day(90), 0.5), day(45));
  });
});
