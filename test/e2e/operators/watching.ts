import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LocalEnvironment } from '../../support/local-environment.ts';
import { CLIENT_KEYS, OpensslAgent } from '../support/openssl-agent.ts';
import { problem } from '../support/problem.ts';

/** The fleet in numbers, and a login that is followed into the vault. */
export function watching(environment: () => LocalEnvironment): void {
  describe('watching', () => {
    it('a login’s correlation id stands in the vault’s log beside the signature that it asked for', async (t) => {
      const everleaf = environment();
      const agent = new OpensslAgent();
      t.after(() => agent.remove());
      const id = '0f8fad5b-d9cb-469f-a165-708677289501';
      const { csr } = agent.keyAndRequest(CLIENT_KEYS['EC P-256'], { name: 'NodeAgent' });
      const { token } = everleaf.loginFile('NodeAgent');
      const answer = await everleaf.login({ token, csr }, { 'x-correlation-id': id });
      assert.equal(answer.status, 200, answer.text);
      const log = await fetch(everleaf.env.faults.url.replace(/faults$/, 'audit?operation=KeySign'));
      const { items } = (await log.json()) as { items: { CorrelationId: string; HttpStatusCode: number }[] };
      assert.deepEqual(
        items.filter(({ CorrelationId }) => CorrelationId === id).map((one) => one.HttpStatusCode),
        [200],
      );
    });

    it('Prometheus reads every credential, the timers and the calls to the vaults', async () => {
      const everleaf = environment();
      problem(await everleaf.api('/api/metrics'), 401, 'NoAuthenticationInformation');
      const answer = await everleaf.api('/api/metrics', { token: everleaf.readerToken });
      assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
      const { identities } = await everleaf.status();
      for (const { cluster, name, certificate, token } of identities) {
        for (const [kind, end] of [
          ['certificate', certificate?.notAfter],
          ['token', token?.expiresAt],
        ] as const) {
          if (end === undefined) continue;
          const sample = `everleaf_credential_not_after_seconds{cluster="${cluster}",name="${name}",kind="${kind}"} ${Date.parse(end) / 1000}`;
          assert.ok(answer.text.includes(`${sample}\n`), sample);
        }
      }
      assert.match(
        answer.text,
        /^everleaf_vault_calls_total\{vault="[^"]+",operation="POST keys\/\{name\}\/\{version\}\/sign",status="200",process="[0-9a-f]{8}"\} \d+$/m,
      );
      await everleaf.runTimer('watch-fleet');
      const after = await everleaf.api('/api/metrics?cluster=none', { token: everleaf.readerToken });
      assert.match(after.text, /^everleaf_timer_last_success_seconds\{timer="watch-fleet"\} [1-9]\d+$/m);
      assert.doesNotMatch(after.text, /^everleaf_credential_not_after_seconds\{/m);
    });
  });
}
