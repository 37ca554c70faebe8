import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Problem } from '../../support/contract-shapes.ts';
import type { LocalEnvironment } from '../../support/local-environment.ts';
import { makeProof } from '../../support/proofs.ts';
import { keyPair } from '../../unit/pki/support/keys.ts';
import { pemRequest, requestDer } from '../../unit/pki/support/requests.ts';
import { name as distinguishedName, utf8 } from '../../unit/pki/support/tlv.ts';
import { problem } from '../support/problem.ts';

const IDENTITIES = '/api/clusters/management/identities';

interface IdentityBody {
  readonly name: string;
  readonly revoked: boolean;
  readonly incarnation: number;
  readonly dnsNames: readonly string[];
}
interface LoginFileBody {
  readonly token: string;
  readonly tokenExpiresAt: string;
  readonly yaml: string;
}
interface Login {
  readonly certificate: string;
  readonly instance: string;
  readonly serialNumber: string;
}

let everleaf: LocalEnvironment;

function operator<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const token = everleaf.operatorToken;
  return everleaf.api<T>(path, { method, token, headers, ...(body === undefined ? {} : { body }) });
}

function requestFor(name: string, owner: string): string {
  const subject = distinguishedName(['2.5.4.3', utf8(name)]);
  return pemRequest(requestDer({ key: keyPair('P-256', owner), subject }));
}

async function logIn(name: string, token: string, owner: string): Promise<Login> {
  const answer = await everleaf.login<Login>({ token, csr: requestFor(name, owner) });
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
}

async function proveRotation<T = { token: string; expiresAt: string }>(certificate: string, owner: string) {
  const path = '/api/token/rotate';
  const proof = makeProof({
    certificate: Buffer.from(certificate.replace(/-----[^-]+-----|\s/g, ''), 'base64'),
    key: keyPair('P-256', owner),
    path,
    body: '{}',
    now: await everleaf.now(),
    baseUrl: everleaf.env.baseUrl,
  });
  return everleaf.api<T>(path, {
    method: 'POST',
    body: {},
    headers: { 'x-everleaf-proof': proof },
  });
}

/**
 * An operator's work on identities: make, change, rotate, revoke, delete.
 * @param environment one that is ready when the tests run
 */
export function identities(environment: () => LocalEnvironment): void {
  describe('identities over HTTP', () => {
    before(() => {
      everleaf = environment();
    });
    it('an operator adds an agent, which logs in, rotates its token by proof, and is revoked', async () => {
      const body = { name: 'node-7', clientType: 'Node', dnsNames: ['Node-7.test'], tokenMaxUses: 3 };
      const made = await operator<{ identity: IdentityBody; loginFile: LoginFileBody }>(
        'POST',
        IDENTITIES,
        body,
      );
      assert.equal(made.status, 201, made.text);
      assert.equal(made.headers.get('location'), `${IDENTITIES}/node-7`);
      assert.deepEqual(made.json.identity.dnsNames, ['node-7.test']);
      problem(await operator('POST', IDENTITIES, { ...body, name: 'NODE-7' }), 409, 'AlreadyExists');

      const login = await logIn('node-7', made.json.loginFile.token, 'e2e node');
      const rotated = await proveRotation(login.certificate, 'e2e node');
      assert.equal(rotated.status, 200, rotated.text);
      assert.deepEqual(Object.keys(rotated.json).sort(), ['expiresAt', 'token']);
      const asked = await operator<LoginFileBody>('POST', `${IDENTITIES}/node-7/rotate`);
      assert.equal(asked.json.token, rotated.json.token);
      const cut = await operator<LoginFileBody>('POST', `${IDENTITIES}/node-7/rotate`, { cutOver: true });
      assert.match(cut.json.yaml, new RegExp(`^token: ${cut.json.token}$`, 'm'));
      problem(
        await everleaf.login({ token: rotated.json.token, csr: requestFor('node-7', 'e2e node') }),
        401,
        'Expired',
      );

      const lines = await operator<{ items: { id: string; live: boolean }[] }>(
        'GET',
        `${IDENTITIES}/node-7/instances`,
      );
      assert.deepEqual(
        lines.json.items.map(({ id, live }) => [id, live]),
        [[login.instance, true]],
      );
      const unlocked = await operator('POST', `${IDENTITIES}/node-7/instances/${login.instance}/unlock`);
      assert.equal(unlocked.status, 200, unlocked.text);

      const serial = { serialNumber: login.serialNumber.toUpperCase(), reason: 'keyCompromise' };
      assert.equal((await operator('POST', `${IDENTITIES}/node-7/revoke`, serial)).status, 200);
      problem(await proveRotation<Problem>(login.certificate, 'e2e node'), 401, 'Revoked');
      for (let time = 0; time < 2; time++) {
        assert.equal((await operator('POST', `${IDENTITIES}/node-7/revoke`, {})).status, 200);
      }
      problem(
        await everleaf.login({ token: cut.json.token, csr: requestFor('node-7', 'a new key') }),
        401,
        'Revoked',
      );
      const both = { instance: login.instance, serialNumber: login.serialNumber };
      problem(await operator('POST', `${IDENTITIES}/node-7/revoke`, both), 400, 'InvalidInput');
    });

    it('changes and deletions want the entity tag that was read', async () => {
      const path = `${IDENTITIES}/NodeAgent`;
      const read = await operator<IdentityBody>('GET', path);
      const etag = read.headers.get('etag') ?? '';
      problem(await operator('PATCH', path, { autoRotate: true }), 428, 'PreconditionRequired');
      const changed = await operator<IdentityBody>(
        'PATCH',
        path,
        { dnsNames: ['agent.test'] },
        { 'if-match': etag },
      );
      assert.equal(changed.status, 200, changed.text);
      assert.deepEqual(changed.json.dnsNames, ['agent.test']);
      problem(
        await operator('PATCH', path, { dnsNames: [] }, { 'if-match': etag }),
        412,
        'PreconditionFailed',
      );
      problem(
        await operator('PATCH', path, { clientType: 'Admin' }, { 'if-match': '*' }),
        400,
        'InvalidInput',
      );
      problem(await operator('DELETE', path), 428, 'PreconditionRequired');
    });

    it('a client of the vault that is deleted is gone, its version disabled, and can be made again', async () => {
      const path = `${IDENTITIES}/CSI`;
      const etag = (await operator('GET', path)).headers.get('etag') ?? '';
      for (let time = 0; time < 2; time++) {
        const gone = await operator('DELETE', path, undefined, { 'if-match': etag });
        assert.equal(gone.status, 204, gone.text);
      }
      problem(await operator('GET', path), 404, 'NotFound');
      const list = await operator<{ items: IdentityBody[] }>('GET', `${IDENTITIES}?limit=500`);
      assert.equal(
        list.json.items.some(({ name }) => name === 'CSI'),
        false,
      );
      const body = { name: 'CSI', clientType: 'ExternalClient', delivery: 'vault' };
      const again = await operator<{ identity: IdentityBody; loginFile: null; warnings: string[] }>(
        'POST',
        IDENTITIES,
        body,
      );
      assert.equal(again.status, 201, again.text);
      assert.deepEqual([again.json.identity.incarnation, again.json.loginFile], [2, null]);
      assert.match(again.json.warnings.join(), /client--management--csi/);
      await everleaf.runTimer('renew-due');
      const status = (await everleaf.status()).identities.find(({ name }) => name === 'CSI');
      assert.equal(status?.state, 'Healthy');
    });

    it('a rule revokes by what credentials have in common, and can be taken back', async () => {
      problem(await operator('POST', '/api/revocations', { reason: 'superseded' }), 400, 'InvalidInput');
      const made = await operator<{ id: string }>('POST', '/api/revocations', { clientType: 'Admin' });
      assert.equal(made.status, 201, made.text);
      const { token } = everleaf.loginFile('Mocctl');
      problem(await everleaf.login({ token, csr: requestFor('Mocctl', 'e2e admin') }), 401, 'Revoked');
      const list = await operator<{ items: { id: string }[] }>('GET', '/api/revocations');
      assert.deepEqual(
        list.json.items.map(({ id }) => id),
        [made.json.id],
      );
      assert.equal((await operator('DELETE', `/api/revocations/${made.json.id}`)).status, 204);
      problem(await operator('DELETE', `/api/revocations/${made.json.id}`), 404, 'NotFound');
      await logIn('Mocctl', token, 'e2e admin');
    });
  });
}
