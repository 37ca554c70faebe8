import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { IdentityWishes } from '../../../shared/domain/identity.ts';
import { isTokenFresh } from '../../../shared/domain/identity.ts';
import { checkWishes } from '../../../shared/domain/identity-wishes.ts';
import { isDnsName } from '../../../shared/domain/names.ts';
import { identityScope, parseScope } from '../../../shared/domain/scope.ts';
import { buildIdentity } from '../../support/build-identity.ts';

describe('what an operator wants of an identity', () => {
  it('is taken as it is within the bounds, with DNS names in lower case and each once', () => {
    const wishes = { autoRotate: false, tokenExpiryInSeconds: 3600, tokenMaxUses: 1 };
    assert.deepEqual(checkWishes(wishes), wishes);
    assert.deepEqual(checkWishes({ tokenMaxUses: null }), { tokenMaxUses: null });
    assert.deepEqual(checkWishes({ dnsNames: ['A.test', 'b.test', 'a.TEST'] }), {
      dnsNames: ['a.test', 'b.test'],
    });
    assert.deepEqual(checkWishes({}), {});
  });

  it('is refused beyond them, with the field', () => {
    const refused: readonly IdentityWishes[] = [
      { tokenExpiryInSeconds: 3599 },
      { tokenExpiryInSeconds: 365 * 86_400 + 1 },
      { tokenExpiryInSeconds: 7200.5 },
      { tokenMaxUses: 0 },
      { tokenMaxUses: 10_001 },
      { dnsNames: ['*.example.test'] },
      { dnsNames: Array.from({ length: 21 }, (_, i) => `n${i}.test`) },
    ];
    for (const wishes of refused) {
      const [field] = Object.keys(wishes);
      assert.throws(() => checkWishes(wishes), { code: 'InvalidInput', details: { pointer: `/${field}` } });
    }
  });
});

describe('a host name', () => {
  it('has labels of letters, digits and inner hyphens, and does not end in a number', () => {
    for (const name of [
      'a',
      'cloud.everleaf.test',
      'xn--bcher-kva.test',
      '3com.test',
      `${'a'.repeat(63)}.test`,
    ]) {
      assert.ok(isDnsName(name), name);
    }
    const long = `${'a.'.repeat(127)}test`;
    for (const name of [
      '',
      '.',
      'a.',
      '.a',
      'A.test',
      '-a.test',
      'a-.test',
      'a_b',
      '10.0.0.1',
      'ä.test',
      long,
      `${'a'.repeat(64)}.test`,
    ]) {
      assert.equal(isDnsName(name), false, name);
    }
  });
});

describe('the scope of an identity', () => {
  it('is read back as that identity', () => {
    assert.deepEqual(parseScope(identityScope({ cluster: 'alpha', name: 'KMS' })), {
      cluster: 'alpha',
      name: 'KMS',
    });
  });
});

describe('the newest token', () => {
  const { token } = buildIdentity();

  it('is told again while nobody has used it and it is not due', () => {
    const before = new Date(token.rotateAfter.getTime() - 1);
    assert.ok(isTokenFresh(token, before));
    assert.equal(isTokenFresh(token, token.rotateAfter), false);
    assert.equal(isTokenFresh({ ...token, usedGeneration: token.generation }, before), false);
  });
});
