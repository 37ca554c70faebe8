import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, describe, it } from 'node:test';
import type { Plan } from '../../support/contract-shapes.ts';
import type { ApiRequest, LocalEnvironment } from '../../support/local-environment.ts';
import { problem } from '../support/problem.ts';

/** What these tests read of an operation (contract, GET /api/operations/{id}). */
interface Operation {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly finishedAt: string | null;
  readonly counts: { readonly total: number; readonly done: number; readonly waiting: number };
  readonly items: readonly { readonly name: string; readonly credential: string; readonly state: string }[];
  readonly loginFiles: string | null;
}

interface LoginFiles {
  readonly items: readonly { readonly name: string; readonly token: string; readonly yaml: string }[];
}

interface Created {
  readonly cluster: { readonly name: string; readonly state: string; readonly updateDueAt: string };
  readonly identities: readonly { readonly name: string; readonly credentials: string }[];
  readonly loginFiles: LoginFiles['items'];
  readonly operation: string | null;
}

let everleaf: LocalEnvironment;

function operator<T>(method: string, path: string, request: Omit<ApiRequest, 'method' | 'token'> = {}) {
  return everleaf.api<T>(path, { method, token: everleaf.operatorToken, ...request });
}

const settled = async (id: string) => {
  await everleaf.settle();
  return (await operator<Operation>('GET', `/api/operations/${id}`)).json;
};

/** A workload cluster from its making to its end. @param environment one that is ready when the tests run */
export function clusters(environment: () => LocalEnvironment): void {
  describe('a workload cluster over HTTP', () => {
    before(() => {
      everleaf = environment();
    });
    const request = {
      body: { name: 'alpha', nodes: ['node-1'] },
      headers: { 'idempotency-key': randomUUID() },
    };

    it('is created once, however often the same request comes', async () => {
      const first = await operator<Created>('POST', '/api/clusters', request);
      assert.equal(first.status, 201);
      assert.equal(first.headers.get('location'), '/api/clusters/alpha');
      assert.deepEqual(
        first.json.loginFiles.map(({ name }) => name),
        ['kubelet-node-1'],
      );
      const again = await operator<Created>('POST', '/api/clusters', request);
      assert.equal(again.status, 201);
      assert.deepEqual(again.json, first.json);
      problem(await operator('POST', '/api/clusters', { body: request.body }), 409, 'AlreadyExists');
      const other = { ...request, body: { name: 'beta' } };
      problem(await operator('POST', '/api/clusters', other), 409, 'IdempotencyMismatch');
      const operation = await settled(first.json.operation ?? '');
      assert.deepEqual([operation.kind, operation.state, operation.counts.done], ['create', 'succeeded', 8]);
    });

    it('is listed and shown with its ETag', async () => {
      const list = await operator<{ items: readonly { name: string }[] }>('GET', '/api/clusters');
      assert.deepEqual(
        list.json.items.map(({ name }) => name),
        ['alpha', 'management'],
      );
      const one = await operator<Created['cluster']>('GET', '/api/clusters/alpha');
      assert.equal(one.json.state, 'Active');
      assert.match(one.headers.get('etag') ?? '', /^"[\w-]+"$/);
    });

    it('wants a body that makes sense', async () => {
      for (const [body, pointer] of [
        [{ name: 'Alpha' }, '/name'],
        [{ name: 'a', nodes: ['n', 'N'] }, '/nodes/1'],
        [{ name: 'a', vaultUrl: 'https://evil.example' }, '/vaultUrl'],
        [{ name: 'a', vaultUrl: everleaf.env.endpoints.authorityVault }, '/vaultUrl'],
        [{ name: 'a', delivery: 'post' }, '/delivery'],
        [{ name: 'a', node: [] }, ''],
      ] as const) {
        const refused = problem(await operator('POST', '/api/clusters', { body }), 400, 'InvalidInput');
        assert.equal(refused.errors?.[0]?.pointer, pointer);
      }
      const headers = { 'idempotency-key': 'short' };
      problem(await operator('POST', '/api/clusters', { body: { name: 'a' }, headers }), 400, 'InvalidInput');
    });

    it('is repaired: first the dry run, then the operation, whose login files bring the node back', async () => {
      const path = '/api/clusters/alpha/renew';
      const idle = await operator<Operation>('POST', path, { body: { credentials: ['cloud'] } });
      assert.equal(idle.status, 202);
      assert.equal((await settled(idle.json.id)).state, 'succeeded');
      const body = { credentials: ['kubelet'], force: true };
      const dry = await operator<Plan>('POST', path, { body: { ...body, dryRun: true } });
      assert.deepEqual(dry.json.counts, { request: 1, rotate: 1 });
      const begun = await operator<Operation>('POST', path, { body });
      assert.equal(begun.headers.get('location'), `/api/operations/${begun.json.id}`);
      assert.match(begun.headers.get('retry-after') ?? '', /^\d+$/);
      const operation = await settled(begun.json.id);
      assert.equal(operation.state, 'partial');
      assert.equal(operation.counts.waiting, 2);
      assert.equal(operation.loginFiles, `/api/operations/${operation.id}/login-files`);
      const files = await operator<LoginFiles>('GET', operation.loginFiles ?? '');
      assert.match(files.json.items[0]?.yaml ?? '', /^name: kubelet-node-1$/m);
      const reader = await everleaf.api(operation.loginFiles ?? '', { token: everleaf.readerToken });
      problem(reader, 403, 'AccessDenied');
    });

    it('is updated without a body: everything in the vault anew', async () => {
      const begun = await operator<Operation>('POST', '/api/clusters/alpha/update');
      assert.equal(begun.status, 202);
      const operation = await settled(begun.json.id);
      assert.deepEqual([operation.kind, operation.counts.done], ['update', 8]);
      problem(await operator('GET', '/api/operations/0000'), 404, 'NotFound');
      problem(await operator('POST', '/api/clusters/beta/update'), 404, 'NotFound');
    });

    it('is deleted, and gone', async () => {
      const headers = { 'if-match': '"bm9uZQ"' };
      problem(await operator('DELETE', '/api/clusters/alpha', { headers }), 412, 'PreconditionFailed');
      problem(await operator('DELETE', '/api/clusters/management'), 409, 'InUse');
      const begun = await operator<Operation>('DELETE', '/api/clusters/alpha');
      assert.equal(begun.status, 202);
      assert.equal((await settled(begun.json.id)).state, 'succeeded');
      problem(await operator('GET', '/api/clusters/alpha'), 404, 'NotFound');
    });
  });
}
