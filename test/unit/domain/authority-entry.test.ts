import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rollEntry } from '../../../shared/domain/authority-entry.ts';
import type { RollStep } from '../../../shared/domain/authority-plan.ts';
import { buildAuthority } from '../../support/build-authority.ts';
import { after } from '../../support/build-identity.ts';

const NOW = after(200);
const END = 'authority a1 ends at 2027-11-20T23:59:59Z';
const step: RollStep = {
  action: 'prepare',
  authorityId: null,
  becauseOf: 'a1',
  dueAt: after(182),
  deadline: after(275),
  reason: 'InWindow',
  blockedBy: [],
};
const entry = (changes: Partial<RollStep>, now = NOW) =>
  rollEntry({ ...step, ...changes }, [buildAuthority()], now);

describe('the plan’s line about an authority', () => {
  it('names the step that is due, and whose end makes it necessary', () => {
    assert.deepEqual(entry({}), {
      target: { authorityId: 'a1' },
      kind: 'authority',
      action: 'prepare',
      dueAt: after(182),
      windowOpensAt: after(182),
      windowClosesAt: after(275),
      reason: 'InWindow',
      text: `prepare the next authority: ${END}`,
      generation: 0,
    });
  });

  it('says when a step is due that is not', () => {
    const { action, text } = entry({}, after(1));
    assert.equal(action, 'none');
    assert.equal(text, `prepare the next authority: due at 2027-05-22T00:00:00Z; ${END}`);
  });

  it('says what a step waits for, and for how long', () => {
    const changes = { action: 'activate', authorityId: 'a2', blockedBy: ['nobody said so'] } as const;
    const { action, target, text } = entry(changes);
    assert.deepEqual([action, target], ['none', { authorityId: 'a2' }]);
    const until = 'until 2027-08-23T00:00:00Z at the latest';
    assert.equal(text, `activate authority a2: it waits because nobody said so, ${until}; ${END}`);
    assert.match(entry({ ...changes, deadline: null }).text, /because nobody said so; authority/);
  });

  it('is about no authority at all where there never was one to follow', () => {
    const { target, text } = entry({ becauseOf: null });
    assert.deepEqual([target, text], [{ authorityId: '' }, 'prepare the next authority']);
  });
});
