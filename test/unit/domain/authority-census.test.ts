import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MOST_MISSING, missingText, NOBODY, tally } from '../../../shared/domain/authority-census.ts';

const WHO = { cluster: 'alpha', name: 'n', lastSeenAt: null };

describe('a tally of those who must know an authority', () => {
  it('counts everybody and names those that have not said that they know it', () => {
    const told = tally(tally(NOBODY, WHO, true), { ...WHO, name: 'm' }, false);
    assert.deepEqual(told, { total: 2, acknowledged: 1, missing: [{ ...WHO, name: 'm' }] });
    assert.equal(missingText('agents', told), '1 of 2 agents have not acknowledged it');
  });

  it('says nothing when all have', () => {
    assert.equal(missingText('agents', tally(NOBODY, WHO, true)), null);
    assert.equal(missingText('verifiers', NOBODY), null);
  });

  it('names a hundred at most, and counts the others all the same', () => {
    let told = NOBODY;
    for (let n = 0; n <= MOST_MISSING; n++) told = tally(told, { ...WHO, name: `n${n}` }, false);
    assert.equal(told.missing.length, MOST_MISSING);
    assert.equal(told.total, MOST_MISSING + 1);
  });
});
