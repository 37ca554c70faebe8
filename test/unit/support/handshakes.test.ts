import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildLeafTbs } from '../../../shared/pki/leaf-certificate.ts';
import { encodePem } from '../../../shared/pki/pem.ts';
import { Handshakes } from '../../support/years/handshakes.ts';
import { leafInput, makeAuthority } from '../pki/support/authority.ts';
import { keyPair, newKeyPair } from '../pki/support/keys.ts';

const [old, next] = ['old', 'next'].map((name) => makeAuthority('P-256', name, newKeyPair('P-256')));
assert.ok(old !== undefined && next !== undefined);
const pem = (der: Uint8Array) => encodePem('CERTIFICATE', der);
const [oldBundle, nextBundle] = [old, next].map(({ certificate }) => pem(certificate.der));
assert.ok(oldBundle !== undefined && nextBundle !== undefined);

const leaf = (by: typeof old, end: string) => {
  const notAfter = new Date(end);
  return pem(by.issue(buildLeafTbs(leafInput(by, keyPair('P-256'), { server: true, notAfter }))));
};
const SERVER = leaf(old, '2026-07-29T23:59:59Z');
const at = (day: string) => new Date(`2026-${day}T12:00:00Z`);

/** A verifier and an agent who trust the old authority and have certificates of it, from the first of May on. */
function acquainted(agentsEnd: string): Handshakes {
  const handshakes = new Handshakes(['verifier']);
  handshakes.hold('verifier', { certificate: SERVER, chain: '', bundle: oldBundle ?? '' }, at('05-01'));
  const certificate = leaf(old ?? assert.fail(), agentsEnd);
  handshakes.hold('agent', { certificate, chain: '', bundle: oldBundle ?? '' }, at('05-01'));
  return handshakes;
}

describe('the law of the handshakes', () => {
  it('finds nothing where both sides accept each other all the time', () => {
    const handshakes = acquainted('2026-07-01T00:00:00Z');
    handshakes.look(at('05-20'));
    handshakes.look(at('06-10'));
    assert.deepEqual(handshakes.refusals, []);
    assert.equal(handshakes.checked, 4);
  });

  it('tells to the second since when a certificate was refused, however seldom it looks', () => {
    const handshakes = acquainted('2026-05-15T10:20:30Z');
    for (const day of ['05-14', '05-20', '06-10']) handshakes.look(at(day));
    assert.deepEqual(handshakes.refusals, [
      {
        shownBy: 'agent',
        refusedBy: 'verifier',
        use: 'client',
        from: new Date('2026-05-15T10:20:30Z'),
        to: at('06-10'),
      },
    ]);
  });

  it('finds what was refused between two changes, with nobody looking', () => {
    const handshakes = acquainted('2026-05-15T10:20:30Z');
    const certificate = leaf(old, '2026-07-20T00:00:00Z');
    handshakes.hold('agent', { certificate, chain: '', bundle: oldBundle }, at('05-16'));
    handshakes.look(at('06-10'));
    assert.deepEqual(
      handshakes.refusals.map(({ from, to }) => [from, to]),
      [[new Date('2026-05-15T10:20:30Z'), at('05-16')]],
    );
  });

  it('finds who gave an authority up too early, in both directions', () => {
    const handshakes = acquainted('2026-07-01T00:00:00Z');
    handshakes.hold('verifier', { certificate: SERVER, chain: '', bundle: nextBundle }, at('05-03'));
    const certificate = leaf(next, '2026-07-20T00:00:00Z');
    handshakes.hold('agent', { certificate, chain: '', bundle: nextBundle }, at('05-04'));
    handshakes.look(at('05-05'));
    assert.deepEqual(
      handshakes.refusals.map(({ refusedBy, from, to }) => [refusedBy, from, to]),
      [
        ['verifier', at('05-03'), at('05-04')],
        ['agent', at('05-04'), at('05-05')],
      ],
    );
  });
});
