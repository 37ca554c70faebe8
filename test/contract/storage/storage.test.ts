import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { TableClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueClient } from '@azure/storage-queue';
import { startStorage } from '../../../infra/local/storage/storage.ts';
import { LocalProcess } from '../../../infra/local/supervisor/local-process.ts';

const MAIN = fileURLToPath(new URL('../../../infra/local/storage/main.ts', import.meta.url));
const LOCAL_PROCESS = new URL('../../../infra/local/supervisor/local-process.ts', import.meta.url).href;
const KEY = Buffer.alloc(64, 7).toString('base64');
const INSERTS = 500;

let scratch: string;

before(() => {
  scratch = mkdtempSync(join(tmpdir(), 'everleaf-storage-'));
});
after(() => rmSync(scratch, { recursive: true, force: true }));

function options(directory: string) {
  return {
    role: 'storage',
    module: MAIN,
    environment: { PATH: process.env['PATH'] ?? '' },
    config: { directory, ports: { blob: 0, queue: 0, table: 0 }, accountKey: KEY },
    clockOffsetMs: 0,
    logFile: `${directory}.log`,
    ownGroup: true,
  };
}

async function withStorage(
  directory: string,
  work: (connectionString: string) => Promise<void>,
): Promise<void> {
  const storage = new LocalProcess(options(directory));
  try {
    const { connectionString } = await storage.ready();
    await work(String(connectionString));
  } finally {
    assert.equal(await storage.stop(30_000), 'exit code 0');
  }
}

function tableOf(connectionString: string): TableClient {
  return TableClient.fromConnectionString(connectionString, 'record', {
    allowInsecureConnection: true,
    retryOptions: { maxRetries: 0 },
  });
}

async function countRows(connectionString: string): Promise<number> {
  let rows = 0;
  for await (const _ of tableOf(connectionString).listEntities()) rows++;
  return rows;
}

describe('storage', () => {
  it('keeps everything acknowledged when the whole process group of its parent is killed', async () => {
    const directory = join(scratch, 'killed');
    const parentFile = join(scratch, 'parent.mjs');
    writeFileSync(
      parentFile,
      `import { LocalProcess } from ${JSON.stringify(LOCAL_PROCESS)};
       const storage = new LocalProcess(${JSON.stringify(options(directory))});
       console.log(JSON.stringify(await storage.ready()));`,
    );
    const parent = spawn(process.execPath, [parentFile], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface(parent.stdout), 'line')) as [string];
    const { connectionString } = JSON.parse(line) as { connectionString: string };

    const table = tableOf(connectionString);
    await table.createTable();
    const queue = new QueueClient(connectionString, 'work');
    await queue.create();
    const blobs = BlobServiceClient.fromConnectionString(connectionString).getContainerClient('state');
    await blobs.create();
    await blobs.getBlockBlobClient('status').upload('{"v":1}', 7);
    for (let begin = 0; begin < INSERTS; begin += 10) {
      await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          table.createEntity({ partitionKey: 'p', rowKey: `r${begin + i}`, text: 'x'.repeat(100) }),
        ),
      );
    }
    await queue.sendMessage('the last thing acknowledged');
    process.kill(-(parent.pid ?? 0), 'SIGKILL');
    await once(parent, 'exit');

    // At once: the storage of the killed run may still be writing, and this start has to wait for it.
    await withStorage(directory, async (next) => {
      assert.equal(await countRows(next), INSERTS);
      const { peekedMessageItems } = await new QueueClient(next, 'work').peekMessages();
      assert.equal(peekedMessageItems[0]?.messageText, 'the last thing acknowledged');
      const blob = BlobServiceClient.fromConnectionString(next)
        .getContainerClient('state')
        .getBlobClient('status');
      assert.equal((await blob.downloadToBuffer()).toString(), '{"v":1}');
    });
  });

  it('keeps every insert that it acknowledged while it was being stopped', async () => {
    const directory = join(scratch, 'stopped');
    const storage = new LocalProcess(options(directory));
    const { connectionString } = await storage.ready();
    const table = tableOf(String(connectionString));
    await table.createTable();
    let acknowledged = 0;
    const inserts = Array.from({ length: 200 }, async (_, i) => {
      await table.createEntity({ partitionKey: 'p', rowKey: `r${i}` });
      acknowledged++;
    });
    await Promise.race(inserts);
    assert.equal(await storage.stop(30_000), 'exit code 0');
    await Promise.allSettled(inserts);
    await withStorage(directory, async (next) => {
      const rows = await countRows(next);
      assert.ok(rows >= acknowledged, `${acknowledged} inserts were acknowledged, ${rows} are there`);
    });
  });

  it('takes the key of its state directory and no other', async () => {
    const { endpoints, stop } = await startStorage({
      directory: join(scratch, 'key'),
      ports: { blob: 0, queue: 0, table: 0 },
      accountKey: KEY,
    });
    try {
      await tableOf(endpoints.connectionString).createTable();
      const wrong = endpoints.connectionString.replace(KEY, Buffer.alloc(64, 8).toString('base64'));
      await assert.rejects(countRows(wrong), { statusCode: 403 });
    } finally {
      await stop();
    }
  });
});
