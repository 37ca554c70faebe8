import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  isSameIdentity,
  vaultAuthorityName,
  vaultCertificateName,
  vaultResponderName,
  vaultTokenName,
} from '../../../shared/domain/names.ts';
import { subjectOf } from '../../../shared/domain/vault-hint.ts';

const identity = fc.record({
  cluster: fc.stringMatching(/^[a-z0-9](-?[a-z0-9]){0,15}$/),
  name: fc.stringMatching(/^[A-Za-z0-9](-?[A-Za-z0-9]){0,30}$/),
});

describe('whose a name in a vault is', () => {
  it('is what it was made of, in whatever case it comes back', () => {
    fc.assert(
      fc.property(identity, fc.boolean(), (id, isLoud) => {
        const back = (name: string) => subjectOf(isLoud ? name.toUpperCase() : name);
        for (const [name, kind] of [
          [vaultCertificateName(id), 'certificate'],
          [vaultTokenName(id), 'token'],
        ] as const) {
          const subject = back(name);
          assert.ok(subject?.of === 'identity' && subject.kind === kind);
          assert.ok(isSameIdentity(subject.identity, id));
        }
      }),
    );
    assert.deepEqual(subjectOf(vaultAuthorityName('0a1b2c3d')), { of: 'authority', authorityId: '0a1b2c3d' });
    assert.deepEqual(subjectOf(vaultResponderName('0a1b2c3d')), { of: 'responder', authorityId: '0a1b2c3d' });
  });

  it('is nobody’s when none of Everleaf’s names is like that', () => {
    const names = [
      '',
      'ca-bundle',
      'rotation-key',
      'audit-signing',
      'client',
      'client--',
      'client--a',
      'client--a--',
    ];
    const more = [
      'client----b',
      'client--a--b--c',
      'client--a---b',
      'client--A_b--c',
      'xclient--a--b',
      'token--a',
    ];
    const authorities = ['authority--', 'authority---', 'authority--a--b', `responder--${'a'.repeat(65)}`];
    const long = [
      `client--${'a'.repeat(33)}--b`,
      `token--a--${'b'.repeat(64)}`,
      'client--a--b\nclient--c--d',
    ];
    for (const name of [...names, ...more, ...authorities, ...long])
      assert.equal(subjectOf(name), null, name);
  });

  it('is never two things: a name that is taken apart is the one that is made of its parts', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^(client|token|authority|responder)--[a-zA-Z0-9-]{0,20}$/), (name) => {
        const subject = subjectOf(name);
        if (subject === null) return;
        const made =
          subject.of === 'identity'
            ? (subject.kind === 'token' ? vaultTokenName : vaultCertificateName)(subject.identity)
            : (subject.of === 'authority' ? vaultAuthorityName : vaultResponderName)(subject.authorityId);
        assert.equal(made, name.toLowerCase());
      }),
    );
  });
});
