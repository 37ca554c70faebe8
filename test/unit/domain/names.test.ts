import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isEverleafError } from '../../../shared/domain/errors.ts';
import {
  checkIdentityId,
  type IdentityId,
  identityText,
  isClusterName,
  isIdentityName,
  isSameIdentity,
  spiffeId,
  vaultAuthorityName,
  vaultCertificateName,
  vaultResponderName,
  vaultTokenName,
} from '../../../shared/domain/names.ts';

const clusterName = fc.stringMatching(/^[a-z0-9](-?[a-z0-9]){0,15}$/);
const identityName = fc.stringMatching(/^[A-Za-z0-9]([.-]?[A-Za-z0-9]){0,31}$/).filter(isIdentityName);
const vaultIdentityName = fc.stringMatching(/^[A-Za-z0-9](-?[A-Za-z0-9]){0,30}$/);

const NEVER = [
  '',
  '-',
  '.',
  ' ',
  'a ',
  ' a',
  'a\n',
  'a/b',
  'a\\b',
  'a_b',
  'a%2e',
  'é',
  'a\u0000',
  '..',
  'a|b',
];

describe('the name of a cluster', () => {
  it('has letters, digits and single hyphens inside', () => {
    for (const name of ['a', '7', 'management', 'west-2', '0-0-0', 'a'.repeat(32)]) {
      assert.equal(isClusterName(name), true, name);
    }
  });

  it('is refused when it has anything else', () => {
    for (const name of [...NEVER, 'A', 'west--2', '-a', 'a-', 'a.b', 'a'.repeat(33)]) {
      assert.equal(isClusterName(name), false, JSON.stringify(name));
    }
  });
});

describe('the name of an identity', () => {
  it('has letters, digits, and single hyphens or dots inside', () => {
    for (const name of ['K', 'KMS', 'kubelet-node-1', 'node1.example', '0x1', 'a'.repeat(63)]) {
      assert.equal(isIdentityName(name), true, name);
    }
  });

  it('is refused when it has anything else', () => {
    for (const name of [...NEVER, 'a--b', 'a..b', 'a.-b', '.a', 'a.', 'a-', 'a'.repeat(64)]) {
      assert.equal(isIdentityName(name), false, JSON.stringify(name));
    }
  });

  it('needs no escaping in a URL, whatever it is', () => {
    fc.assert(fc.property(identityName, (name) => assert.equal(encodeURIComponent(name), name)));
  });

  it('is judged without trying every way to read it', () => {
    // A pattern that backtracks has 2^62 ways to fail here: it would not come back.
    assert.equal(isIdentityName(`${'a'.repeat(62)}!`), false);
    assert.equal(isIdentityName(`${'a-'.repeat(31)}!`), false);
  });
});

describe('an identity', () => {
  const refusal = (id: IdentityId): unknown => {
    try {
      checkIdentityId(id);
    } catch (error) {
      return error;
    }
    return null;
  };

  it('passes the door with two good names', () => {
    assert.equal(refusal({ cluster: 'management', name: 'KMS' }), null);
  });

  it('is refused with a sentence that says which name is wrong and what it should be', () => {
    const cluster = refusal({ cluster: 'Management', name: 'KMS' });
    assert.ok(isEverleafError(cluster, 'InvalidInput'));
    assert.match(cluster.message, /^A cluster name has 1 to 32 /);
    const name = refusal({ cluster: 'management', name: 'a/b' });
    assert.ok(isEverleafError(name, 'InvalidInput'));
    assert.match(name.message, /^An identity name has 1 to 63 /);
  });

  it('is the same whatever the case of its name, but not of its cluster', () => {
    const kms = { cluster: 'management', name: 'KMS' };
    const lower = { cluster: 'management', name: 'kms' };
    assert.equal(isSameIdentity(kms, lower), true);
    assert.equal(isSameIdentity(lower, kms), true);
    assert.equal(isSameIdentity(kms, { cluster: 'west', name: 'KMS' }), false);
    assert.equal(isSameIdentity(kms, { cluster: 'management', name: 'KVA' }), false);
  });

  it('keeps the case it was created with in its text and in its SPIFFE ID', () => {
    const kms = { cluster: 'management', name: 'KMS' };
    assert.equal(identityText(kms), 'management/KMS');
    assert.equal(
      spiffeId('everleaf.example', kms),
      'spiffe://everleaf.example/cluster/management/client/KMS',
    );
  });
});

describe('the names in the vault', () => {
  it('are the documented ones, in lower case', () => {
    const id = { cluster: 'management', name: 'CloudOperator' };
    assert.equal(vaultCertificateName(id), 'client--management--cloudoperator');
    assert.equal(vaultTokenName(id), 'token--management--cloudoperator');
    assert.equal(vaultAuthorityName('0A1b'), 'authority--0a1b');
    assert.equal(vaultResponderName('0A1b'), 'responder--0a1b');
  });

  it('are ones that Key Vault takes: 1 to 127 letters, digits and hyphens', () => {
    const longest = { cluster: 'a'.repeat(32), name: 'A'.repeat(63) };
    for (const name of [vaultCertificateName(longest), vaultTokenName(longest)]) {
      assert.match(name, /^[0-9a-zA-Z-]{1,127}$/);
    }
  });

  it('are shared by no two identities', () => {
    fc.assert(
      fc.property(clusterName, vaultIdentityName, clusterName, vaultIdentityName, (c1, n1, c2, n2) => {
        const [a, b] = [
          { cluster: c1, name: n1 },
          { cluster: c2, name: n2 },
        ];
        assert.equal(vaultCertificateName(a) === vaultCertificateName(b), isSameIdentity(a, b));
      }),
    );
    // The pairs that a single separator would confuse.
    assert.notEqual(
      vaultCertificateName({ cluster: 'a-b', name: 'c' }),
      vaultCertificateName({ cluster: 'a', name: 'b-c' }),
    );
  });
});
