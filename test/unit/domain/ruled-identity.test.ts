import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RevocationRule } from '../../../shared/domain/revocation.ts';
import {
  identityUnderRules,
  isRuledOut,
  kindsToReplace,
  ruledCertificates,
} from '../../../shared/domain/ruled-identity.ts';
import { after, buildHead, buildIdentity, ISSUED_AT } from '../../support/build-identity.ts';
import { buildLine } from '../../support/build-line.ts';

const NOW = after(10, 0.5);
const rule = (issuedBefore: Date | null): RevocationRule => ({
  ...{ v: 1, id: 'r1', clientType: null, cluster: 'management', dnsName: null, issuedBefore },
  ...{ reason: 'keyCompromise', createdAt: after(5), createdBy: 'anna' },
});
const PAST = rule(after(5));
const vault = buildIdentity();
const agent = buildIdentity({ delivery: 'agent', certificate: { head: buildHead() } });

describe('an identity under the rules', () => {
  test('is as it was where none matches', () => {
    for (const identity of [vault, agent]) {
      for (const rules of [[], [rule(ISSUED_AT)], [{ ...PAST, cluster: 'alpha' }]]) {
        assert.deepEqual(identityUnderRules(identity, rules, NOW), identity);
        assert.deepEqual(kindsToReplace(identity, rules, NOW), []);
      }
    }
    assert.equal(isRuledOut(buildIdentity({ certificate: { head: null } }), 'certificate', [PAST]), false);
  });

  test('has its replacements due where Everleaf makes them, unless they are wished for already', () => {
    assert.deepEqual(kindsToReplace(vault, [PAST], NOW), ['certificate', 'token']);
    const { certificate, token } = identityUnderRules(vault, [PAST], NOW);
    assert.deepEqual([certificate.forcedAt, token.forcedAt], [NOW, NOW]);
    const wished = buildIdentity({ certificate: { forcedAt: after(6) }, token: { issuedAt: after(6) } });
    assert.deepEqual(kindsToReplace(wished, [PAST], NOW), []);
    assert.deepEqual(identityUnderRules(wished, [PAST], NOW), wished);
  });

  test('is without what its agent can use no more', () => {
    const { certificate, token } = identityUnderRules(agent, [PAST], NOW);
    assert.equal(certificate.head, null);
    assert.deepEqual(token.expiresAt, after(10, -1));
    assert.deepEqual(kindsToReplace(agent, [PAST], NOW), []);
    const newer = buildIdentity({ delivery: 'agent', token: { issuedAt: after(6) } });
    assert.deepEqual(identityUnderRules(newer, [PAST], NOW), newer);
  });

  test('is revoked while a rule would revoke what it would get, and keeps its own revocation', () => {
    for (const rules of [[rule(null)], [rule(after(11))]]) {
      const { revokedAt, revocationReason } = identityUnderRules(vault, rules, NOW);
      assert.deepEqual([revokedAt, revocationReason], [after(5), 'keyCompromise']);
      assert.deepEqual(kindsToReplace(vault, rules, NOW), []);
      const revoked = { ...agent, revokedAt: after(1) };
      assert.deepEqual(identityUnderRules(revoked, rules, NOW).revokedAt, after(1));
    }
  });

  test('has lines whose certificates each rule revokes by their moments', () => {
    const successor = {
      ...buildHead({ issuedAt: after(6), serialNumber: '0b' }),
      spkiHash: 'bb'.repeat(32),
    };
    const line = buildLine({ successor });
    const serials = (...rules: RevocationRule[]) =>
      ruledCertificates(agent, [line, buildLine()], rules).map(({ serialNumber }) => serialNumber);
    assert.deepEqual(serials(), []);
    assert.deepEqual(serials(PAST), [line.head.serialNumber, line.head.serialNumber]);
    assert.deepEqual(serials(rule(null)), [line.head.serialNumber, '0b', line.head.serialNumber]);
  });
});
