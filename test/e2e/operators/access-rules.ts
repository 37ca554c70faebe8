import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { decodePem } from '../../../shared/pki/pem.ts';
import { management, requestOf } from '../../support/agent.ts';
import type { Problem } from '../../support/contract-shapes.ts';
import type { ApiAnswer, LocalEnvironment } from '../../support/local-environment.ts';
import { makeProof } from '../../support/proofs.ts';
import { keyPair } from '../../unit/pki/support/keys.ts';
import { problem } from '../support/problem.ts';

let everleaf: LocalEnvironment;
let readerId: string;

interface Listed {
  readonly items: { readonly name: string; readonly builtIn: boolean }[];
  readonly nextCursor: string | null;
}

type Answer = ApiAnswer<Problem & Record<string, unknown>>;

const asOperator = (method: string, path: string, body?: unknown, ifMatch?: string): Promise<Answer> =>
  everleaf.api(path, {
    method,
    token: everleaf.operatorToken,
    ...(body === undefined ? {} : { body }),
    ...(ifMatch === undefined ? {} : { headers: { 'if-match': ifMatch } }),
  });
const asReader = (method: string, path: string, body?: unknown): Promise<Answer> =>
  everleaf.api(path, { method, token: everleaf.readerToken, ...(body === undefined ? {} : { body }) });
const etagOf = ({ headers }: Answer) => headers.get('etag') ?? '';

const HELPER = { actions: ['role/write', 'role/read'], assignableScopes: ['/'] };

/** Roles, assignments and access checks. @param environment one that is ready when the tests run */
export function accessRules(environment: () => LocalEnvironment): void {
  describe('access rules over HTTP', () => {
    before(() => {
      everleaf = environment();
      const [, payload = ''] = everleaf.readerToken.split('.');
      readerId = (JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as { oid: string }).oid;
    });
    it('list the built-in roles page by page', async () => {
      const names: string[] = [];
      let cursor: string | null = null;
      do {
        const query: string = cursor === null ? '' : `&cursor=${cursor}`;
        const { json } = await everleaf.api<Listed>(`/api/roles?limit=5${query}`, {
          token: everleaf.readerToken,
        });
        assert.ok(json.items.every(({ builtIn }) => builtIn));
        names.push(...json.items.map(({ name }) => name));
        cursor = json.nextCursor;
      } while (cursor !== null);
      for (const name of ['Owner', 'Contributor', 'Reader', 'CertificateSigner'])
        assert.ok(names.includes(name));
    });

    it('make, replace and delete a role, each time for who knows its state', async () => {
      const made = await asOperator('PUT', '/api/roles/Helper', HELPER);
      assert.equal(made.status, 201);
      assert.equal(made.headers.get('location'), '/api/roles/Helper');
      assert.deepEqual(made.json, { name: 'Helper', notActions: [], builtIn: false, ...HELPER });
      const read = await asReader('GET', '/api/roles/helper');
      assert.equal(read.status, 200);
      assert.equal(etagOf(read), etagOf(made));
      problem(await asOperator('PUT', '/api/roles/Helper', HELPER), 428, 'PreconditionRequired');
      problem(await asOperator('PUT', '/api/roles/Helper', HELPER, '"b3RoZXI"'), 412, 'PreconditionFailed');
      problem(await asOperator('PUT', '/api/roles/Helper', HELPER, 'unquoted'), 400, 'InvalidInput');
      const body = { ...HELPER, name: 'Helper', notActions: ['role/delete'] };
      const replaced = await asOperator('PUT', '/api/roles', body, etagOf(made));
      assert.equal(replaced.status, 200);
      assert.notEqual(etagOf(replaced), etagOf(made));
      problem(
        await asOperator('DELETE', '/api/roles/Helper', undefined, etagOf(made)),
        412,
        'PreconditionFailed',
      );
      const gone = await asOperator('DELETE', '/api/roles/Helper', undefined, etagOf(replaced));
      assert.equal(gone.status, 204);
      assert.equal(gone.text, '');
      problem(await asOperator('GET', '/api/roles/Helper'), 404, 'NotFound');
    });

    it('give a reader more for as long as the assignment stands', async () => {
      await asOperator('PUT', '/api/roles/Helper', HELPER);
      const role = { actions: ['*/read'], assignableScopes: ['/'] };
      problem(await asReader('PUT', '/api/roles/Mine', role), 403, 'AccessDenied');
      const assignment = { roleName: 'Helper', scope: '/', principal: { kind: 'operator', id: readerId } };
      const assigned = await asOperator('PUT', '/api/role-assignments/reader-helps', assignment);
      assert.equal(assigned.status, 201);
      assert.equal((await asReader('PUT', '/api/roles/Mine', role)).status, 201);
      problem(await asReader('DELETE', '/api/roles/Mine'), 403, 'AccessDenied');
      problem(await asOperator('DELETE', '/api/roles/Helper', undefined, '*'), 409, 'InUse');
      const path = '/api/role-assignments/reader-helps';
      problem(await asOperator('DELETE', path), 428, 'PreconditionRequired');
      assert.equal((await asOperator('DELETE', path, undefined, etagOf(assigned))).status, 204);
      problem(await asReader('PUT', '/api/roles/Mine', role), 403, 'AccessDenied');
    });

    it('refuse what is mistyped, and name the place', async () => {
      for (const [path, body, pointer] of [
        ['/api/roles/Typo', { ...HELPER, notAction: ['role/write'] }, ''],
        ['/api/roles/Typo', { ...HELPER, actions: ['role/wirte'] }, '/actions/0'],
        ['/api/roles/Owner', HELPER, '/name'],
        ['/api/roles/Typo', { ...HELPER, name: 'Other' }, '/name'],
        ['/api/roles', HELPER, '/name'],
        [
          '/api/role-assignments/x',
          { roleName: 'Owner', scope: '/', principal: { kind: 'group', id: 'x' } },
          '/principal/kind',
        ],
      ] as const) {
        const refused = problem(await asOperator('PUT', path, body), 400, 'InvalidInput');
        assert.equal(refused.errors?.[0]?.pointer, pointer, path);
      }
    });

    it('let the Admin identity in by a proof of its key, body and all, and no other identity', async () => {
      const path = '/api/roles/ByProof';
      const body = JSON.stringify(HELPER);
      for (const [name, status] of [
        ['NodeAgent', 403],
        ['Mocctl', 201],
      ] as const) {
        const { token } = everleaf.loginFile(name);
        const csr = requestOf(management(name), name);
        const login = await everleaf.login<{ certificate: string }>({ token, csr });
        const proof = makeProof({
          certificate: decodePem(login.json.certificate, 'CERTIFICATE'),
          key: keyPair('P-256', name),
          method: 'PUT',
          path,
          body,
          now: await everleaf.now(),
          baseUrl: everleaf.env.baseUrl,
        });
        const put = (sent: string) =>
          everleaf.api(path, { method: 'PUT', body: sent, headers: { 'x-everleaf-proof': proof } });
        problem(await put(`${body} `), 401, 'InvalidProof');
        assert.equal((await put(body)).status, status, name);
      }
    });

    it('answer whether an identity may, and are asked by readers too', async () => {
      const question = { action: 'identity/rotate', scope: '/clusters/management' };
      const mocctl = { cluster: 'management', name: 'Mocctl' };
      const { status, json } = await asReader('POST', '/api/access-check', { ...question, identity: mocctl });
      assert.equal(status, 200);
      assert.equal(json['allowed'], true);
      assert.equal(json['role'], 'Owner');
      const kms = { cluster: 'management', name: 'KMS' };
      const refused = await asReader('POST', '/api/access-check', { ...question, identity: kms });
      assert.deepEqual([refused.status, refused.json['allowed'], refused.json['role']], [200, false, null]);
      problem(
        await everleaf.api('/api/access-check', { method: 'POST', body: question }),
        401,
        'NoAuthenticationInformation',
      );
    });
  });
}
