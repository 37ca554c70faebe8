import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { before, describe, it } from 'node:test';
import type { ApiRequest, LocalEnvironment } from '../../support/local-environment.ts';
import { problem } from '../support/problem.ts';

/** What these tests read of the authorities (contract, GET /api/authorities). */
interface Authorities {
  readonly status: string;
  readonly bundleId: string;
  readonly items: readonly {
    readonly id: string;
    readonly state: string;
    readonly certificate: string;
    readonly subject: string;
    readonly sha256: string;
    readonly subjectKeyId: string;
    readonly crossCertificates: readonly { readonly issuerId: string; readonly certificate: string }[];
    readonly leaves: { readonly live: number };
    readonly acknowledgements: { readonly verifiers: { readonly missing: readonly { name: string }[] } };
    readonly blockedBy: readonly string[];
  }[];
}

interface DryRun {
  readonly blockedBy: readonly string[];
  readonly counts: { readonly total: number; readonly vault: number; readonly waves: number };
  readonly affected: readonly { readonly name: string }[];
  readonly nextCursor: string | null;
}

interface Operation {
  readonly id: string;
  readonly kind: string;
  readonly cluster: string | null;
  readonly state: string;
  readonly counts: { readonly total: number; readonly done: number; readonly failed: number };
}

let everleaf: LocalEnvironment;

function operator<T>(method: string, path: string, request: Omit<ApiRequest, 'method' | 'token'> = {}) {
  return everleaf.api<T>(path, { method, token: everleaf.operatorToken, ...request });
}

const post = <T>(path: string, body?: unknown) =>
  operator<T>('POST', `/api/authorities/${path}`, body === undefined ? {} : { body });
const list = async () => (await operator<Authorities>('GET', '/api/authorities')).json;
const byState = async (state: string) => {
  const found = (await list()).items.find((one) => one.state === state);
  assert.ok(found !== undefined, `no authority is ${state}`);
  return found;
};

/**
 * The authorities' life in operators' hands, a taint at its end: what lies in vaults is renewed.
 * @param environment one that is ready when the tests run
 */
export function authorities(environment: () => LocalEnvironment): void {
  describe('the authorities over HTTP', () => {
    before(() => {
      everleaf = environment();
    });

    it('are listed with what they signed, and readers only look', async () => {
      const { status, items } = await list();
      assert.deepEqual([status, items.length], ['Single', 1]);
      const [only] = items;
      assert.ok(only !== undefined);
      const certificate = new X509Certificate(only.certificate);
      assert.equal(certificate.subject, only.subject);
      assert.equal(certificate.fingerprint256.replaceAll(':', '').toLowerCase(), only.sha256);
      assert.ok(only.leaves.live >= 8);
      const reader = { method: 'POST', token: everleaf.readerToken };
      problem(await everleaf.api('/api/authorities/prepare', reader), 403, 'AccessDenied');
    });

    it('get a successor, which nobody knows yet, and lose it again', async () => {
      const prepared = await post<{ id: string; state: string }>('prepare');
      assert.equal(prepared.json.state, 'Prepared');
      const path = prepared.json.id;
      const { json } = await post<DryRun>(`${path}/activate?limit=2`, { dryRun: true });
      assert.deepEqual([json.affected.length, json.nextCursor, json.blockedBy.length], [2, '2', 2]);
      problem(await post(`${path}/activate`), 409, 'StateConflict');
      problem(await post(`${path}/pause`), 409, 'StateConflict');
      const roll = await post<{ done: readonly { action: string }[] }>('roll', { dryRun: true });
      assert.deepEqual(
        roll.json.done.map(({ action }) => action),
        ['publish'],
      );
      const cancelled = await post<{ state: string }>(`${path}/cancel`);
      assert.deepEqual([cancelled.status, cancelled.json.state], [200, 'Retired']);
    });

    it('are tainted: the next one signs at once, and what lies in vaults is renewed', async () => {
      const { id } = await byState('Active');
      problem(await post(`${id}/taint`, {}), 400, 'InvalidInput');
      problem(await post(`${id}/taint`, { reason: 'two\nlines' }), 400, 'InvalidInput');
      const reason = 'the vault was open';
      const { json } = await post<DryRun>(`${id}/taint`, { reason, dryRun: true });
      assert.ok(json.counts.total >= 8 && json.counts.waves === 1);
      const accepted = await post<Operation>(`${id}/taint`, { reason });
      assert.equal(accepted.status, 202);
      const operation = accepted.headers.get('location') ?? '';
      assert.deepEqual([accepted.json.kind, accepted.json.cluster], ['taint', null]);
      const next = await byState('Active');
      const [cross] = next.crossCertificates;
      assert.equal(cross?.issuerId, id);
      const tainted = await byState('Tainted');
      const signer = new X509Certificate(tainted.certificate);
      assert.ok(new X509Certificate(cross?.certificate ?? '').verify(signer.publicKey));
      // The first wave has begun with the operation; the scan sends what it asked for.
      await everleaf.settle();
      await everleaf.runTimer('renew-due');
      await everleaf.settle();
      const { counts } = (await operator<Operation>('GET', operation)).json;
      assert.ok(counts.done >= 8 && counts.failed === 0, JSON.stringify(counts));
      problem(await post(`${next.id}/revoke`), 409, 'StateConflict');
      const revoked = await post<{ state: string }>(`${id}/revoke`, { force: true });
      assert.equal(revoked.json.state, 'Revoked');
      const bundle = (await everleaf.api('/api/ca-bundle')).text;
      assert.deepEqual(
        [bundle.includes(tainted.certificate.trim()), bundle.includes(next.certificate.trim())],
        [false, true],
      );
    });
  });
}
