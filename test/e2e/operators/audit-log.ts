import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { TableClient } from '@azure/data-tables';
import { ContainerClient } from '@azure/storage-blob';
import type { LocalEnvironment } from '../../support/local-environment.ts';

const RUN = fileURLToPath(new URL('../../../infra/local/run.mjs', import.meta.url));

interface Events {
  readonly items: readonly {
    readonly seq: number | null;
    readonly type: string;
    readonly count: number;
    readonly chain: string;
    readonly hash: string | null;
  }[];
  readonly nextCursor: string | null;
  readonly seal: { readonly chain: string; readonly sealedSeq: number; readonly checkpointAt: string | null };
}

let everleaf: LocalEnvironment;

const events = (query: string) =>
  everleaf.api<Events>(`/api/events?${query}`, { token: everleaf.readerToken });

/** `npm run verify-audit`, as somebody in this checkout types it. */
function verifyAudit(...options: string[]): { status: number | null; text: string } {
  const run = spawnSync(process.execPath, [RUN, 'verify-audit', ...options], {
    encoding: 'utf8',
    env: { ...process.env, EVERLEAF_STATE_DIR: everleaf.env.stateDir },
  });
  return { status: run.status, text: run.stdout + run.stderr };
}

/**
 * The audit log, as it is read and as it is verified. The last test damages the log of the environment for good.
 * @param environment one that is ready when the tests run
 */
export function auditLog(environment: () => LocalEnvironment): void {
  describe('the audit log', () => {
    before(() => {
      everleaf = environment();
    });
    it('shows what the first start did, and has it sealed and under a checkpoint minutes later', async () => {
      await everleaf.advance('PT15M', { settle: true });
      const { status, json } = await events('cluster=management&limit=500');
      assert.equal(status, 200);
      assert.ok(json.items.length > 20);
      assert.ok(json.items.every(({ hash, count }) => hash !== null && count === 1));
      assert.equal(json.seal.sealedSeq, json.items.length);
      assert.notEqual(json.seal.checkpointAt, null);
    });

    it('is walked page by page, one cluster or all of them, and filtered', async () => {
      for (const query of ['limit=7', 'cluster=management&limit=7', 'type=identity-created&limit=3']) {
        const all = await events(query.replace(/limit=\d+/, 'limit=500'));
        let found = 0;
        let cursor: string | null = '';
        while (cursor !== null) {
          const page: Events = (await events(`${query}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`))
            .json;
          found += page.items.length;
          cursor = page.nextCursor;
        }
        assert.equal(found, all.json.items.length);
      }
      const created = await events('type=identity-created');
      assert.deepEqual(new Set(created.json.items.map(({ type }) => type)), new Set(['identity-created']));
    });

    it('is for operators and readers alone, and refuses what it does not know', async () => {
      assert.equal((await everleaf.api('/api/events')).status, 401);
      for (const query of ['type=nonsense', 'cluster=No_Cluster', 'cursor=x', 'from=yesterday', 'limit=0']) {
        assert.equal((await events(query)).status, 400, query);
      }
      assert.equal((await events('cluster=_fleet')).json.seal.chain, '_fleet');
    });

    it('is verified by npm run verify-audit', () => {
      const { status, text } = verifyAudit();
      assert.equal(status, 0, text);
      assert.match(text, /^management: whole, \d+ entries, \d+ checkpoints?, the last of entry \d+ at /m);
      assert.match(text, /The audit log is whole\.$/m);
    });

    it('is verified from files as well, as where somebody else keeps the checkpoints', async () => {
      const directory = join(everleaf.env.stateDir, 'taken');
      const container = new ContainerClient(everleaf.env.storageConnectionString, 'audit-checkpoints');
      let certificate = '';
      for await (const { name } of container.listBlobsFlat()) {
        const jws = (await container.getBlockBlobClient(name).downloadToBuffer()).toString('utf8');
        mkdirSync(dirname(join(directory, name)), { recursive: true });
        writeFileSync(join(directory, name), jws);
        const header = JSON.parse(Buffer.from(jws.split('.')[0] ?? '', 'base64url').toString('utf8'));
        certificate = `-----BEGIN CERTIFICATE-----\n${header.x5c[0]}\n-----END CERTIFICATE-----\n`;
      }
      const pem = join(everleaf.env.stateDir, 'audit-signing.pem');
      writeFileSync(pem, certificate);
      const where = ['--url', everleaf.env.baseUrl, '--token-file', everleaf.env.files.readerToken];
      const whole = verifyAudit(...where, '--checkpoints', directory, '--trust', pem);
      assert.equal(whole.status, 0, whole.text);
      // Another certificate vouches for none of them.
      const foreign = verifyAudit(
        ...where,
        '--checkpoints',
        directory,
        '--trust',
        everleaf.env.files.caBundle,
      );
      assert.equal(foreign.status, 1);
      assert.match(foreign.text, /forged: the checkpoint of entry \d+: it is signed by/);
      const half = verifyAudit(...where);
      assert.equal(half.status, 2);
      assert.match(half.text, /all four options are needed/);
    });

    it('shows a change in the table itself to the verifier, which fails', async () => {
      const table = TableClient.fromConnectionString(everleaf.env.storageConnectionString, 'EverleafRecord', {
        allowInsecureConnection: true,
      });
      const filter = "RowKey eq 'e|management|000000000003'";
      for await (const row of table.listEntities<{ data: string }>({ queryOptions: { filter } })) {
        const data = row.data.replace('"outcome":"success"', '"outcome":"failed"');
        assert.notEqual(data, row.data);
        await table.updateEntity(
          { partitionKey: row.partitionKey ?? '', rowKey: row.rowKey ?? '', data },
          'Merge',
        );
      }
      const { status, text } = verifyAudit();
      assert.equal(status, 1, text);
      assert.match(text, /^management: DAMAGED/m);
      assert.match(text, /^management: altered: entry 3 does not have the content/m);
      assert.equal(text.includes(readFileSync(everleaf.env.files.readerToken, 'utf8').trim()), false);
    });
  });
}
