import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coversScope, parseScope } from '../../../shared/domain/scope.ts';

test('A scope is the fleet, a cluster or an identity', () => {
  assert.deepEqual(parseScope('/'), { cluster: null, name: null });
  assert.deepEqual(parseScope('/clusters/alpha'), { cluster: 'alpha', name: null });
  assert.deepEqual(parseScope('/clusters/alpha/identities/KMS'), { cluster: 'alpha', name: 'KMS' });
});

test('Nothing else is a scope', () => {
  for (const text of [
    '',
    '//',
    'clusters/alpha',
    '/clusters',
    '/clusters/',
    '/clusters/alpha/',
    '/clusters/Alpha',
    '/clusters/*',
    '/clusters/../alpha',
    '/clusters/alpha%2fbeta',
    '/cluster/alpha',
    '/clusters/alpha/identities',
    '/clusters/alpha/identities/',
    '/clusters/alpha/identities/a b',
    '/clusters/alpha/identity/KMS',
    '/clusters/alpha/identities/KMS/',
    '/clusters/alpha/identities/KMS/more',
    '/clusters//identities/KMS',
    ' /',
  ]) {
    assert.throws(() => parseScope(text), { code: 'InvalidInput' }, text);
  }
});

test('A scope covers itself and what lies below it, at the borders of segments', () => {
  const covers = (outer: string, inner: string) => coversScope(parseScope(outer), parseScope(inner));
  for (const [outer, inner, expected] of [
    ['/', '/', true],
    ['/', '/clusters/alpha', true],
    ['/', '/clusters/alpha/identities/KMS', true],
    ['/clusters/alpha', '/', false],
    ['/clusters/alpha', '/clusters/alpha', true],
    ['/clusters/alpha', '/clusters/alpha/identities/KMS', true],
    ['/clusters/alpha', '/clusters/alpha2', false],
    ['/clusters/alpha', '/clusters/alpha2/identities/KMS', false],
    ['/clusters/alpha/identities/KMS', '/clusters/alpha', false],
    ['/clusters/alpha/identities/KMS', '/clusters/alpha/identities/kms', true],
    ['/clusters/alpha/identities/KMS', '/clusters/alpha/identities/KMS2', false],
    ['/clusters/alpha/identities/KMS', '/clusters/beta/identities/KMS', false],
  ] as const) {
    assert.equal(covers(outer, inner), expected, `${outer} covers ${inner}`);
  }
});
