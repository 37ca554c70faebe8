import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Authority,
  authorityCommonName,
  authorityEndText,
  isActive,
  prepareSuccessorAt,
} from '../../../shared/domain/authority.ts';
import { toInstant } from '../../../shared/domain/instants.ts';
import { buildAuthority } from '../../support/build-authority.ts';

describe('an authority', () => {
  it('signs once it is active, with its key and its certificate at hand', () => {
    assert.equal(isActive(buildAuthority()), true);
  });

  it('does not sign while any of these is missing', () => {
    const missing: Partial<Authority>[] = [{ state: 'Creating' }, { keyId: null }, { certificate: null }];
    for (const change of missing)
      assert.equal(isActive(buildAuthority(change)), false, JSON.stringify(change));
  });

  it('has a name of its own for each id', () => {
    assert.equal(authorityCommonName('a1'), 'Everleaf Authority a1');
    assert.notEqual(authorityCommonName('a1'), authorityCommonName('a2'));
  });

  it('wants a successor on day 182 of a year, at a whole second', () => {
    const { issuedAt } = buildAuthority();
    const at = prepareSuccessorAt(buildAuthority());
    assert.equal(toInstant(at), '2027-05-22T11:59:59Z');
    assert.equal(Math.floor((at.getTime() - issuedAt.getTime()) / 86_400_000), 182);
    assert.equal(at.getTime() % 1000, 0);
  });

  it('has an end that the plan can name', () => {
    assert.equal(authorityEndText(buildAuthority()), 'authority a1 ends at 2027-11-20T23:59:59Z');
  });
});
