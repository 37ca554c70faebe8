import { randomUUID } from 'node:crypto';
import { after, before } from 'node:test';
import { TableClient } from '@azure/data-tables';
import { ContainerClient } from '@azure/storage-blob';
import { QueueClient } from '@azure/storage-queue';
import { MemoryBackups } from '../../../shared/adapters/memory/memory-backups.ts';
import { MemoryCheckpoints } from '../../../shared/adapters/memory/memory-checkpoints.ts';
import { MemoryCrlFiles } from '../../../shared/adapters/memory/memory-crl-files.ts';
import { MemoryTable } from '../../../shared/adapters/memory/memory-table.ts';
import { MemoryWorkQueue } from '../../../shared/adapters/memory/memory-work-queue.ts';
import { AzureTable } from '../../../shared/adapters/storage/azure-table.ts';
import { BlobBackupStore } from '../../../shared/adapters/storage/blob-backup-store.ts';
import { BlobCheckpointStore } from '../../../shared/adapters/storage/blob-checkpoint-store.ts';
import { BlobCrlFiles } from '../../../shared/adapters/storage/blob-crl-files.ts';
import type { OpenContainer } from '../../../shared/adapters/storage/numbered-blobs.ts';
import { StorageWorkQueue } from '../../../shared/adapters/storage/storage-work-queue.ts';
import type { Table } from '../../../shared/adapters/storage/table.ts';
import { TableLeases } from '../../../shared/adapters/storage/table-leases.ts';
import { systemRandom } from '../../../shared/adapters/system/system-random.ts';
import { type Azurite, startAzurite } from '../../support/azurite.ts';
import type { TestClock } from '../../support/memory-world.ts';
import { describeAccessStore } from './suites/access-store.ts';
import { describeAuditStore } from './suites/audit-store.ts';
import { describeBackupStore } from './suites/backup-store.ts';
import { describeCheckpointStore } from './suites/checkpoint-store.ts';
import { describeCounters } from './suites/counters.ts';
import { describeCrlFiles } from './suites/crl-files.ts';
import { describeCrlStore } from './suites/crl-store.ts';
import { describeFleetStore } from './suites/fleet-store.ts';
import { describeIdentityStore } from './suites/identity-store.ts';
import { describeLeases } from './suites/leases.ts';
import { describeOcspStore } from './suites/ocsp-store.ts';
import { describeOperationStore } from './suites/operation-store.ts';
import { describeRecordDump } from './suites/record-dump.ts';
import { describeRevocationRules } from './suites/revocation-rules.ts';
import { describeTable } from './suites/table.ts';
import { describeWorkQueue } from './suites/work-queue.ts';

let azurite: Azurite;
before(async () => {
  azurite = await startAzurite();
});
after(() => azurite.stop());

const memoryTable = async () => new MemoryTable();

/** A table, or queue, that no other test has. */
const uniqueName = () => `t${randomUUID().replaceAll('-', '')}`;

const azureTable = async () =>
  new AzureTable(
    TableClient.fromConnectionString(azurite.connectionString, uniqueName(), {
      allowInsecureConnection: true,
    }),
  );

const leasesOn = (makeTable: () => Promise<Table>) => async (clock: TestClock) => {
  const table = await makeTable();
  await table.prepare();
  return new TableLeases(table, clock, systemRandom);
};

for (const [name, makeTable] of [
  ['in memory', memoryTable],
  ['on Table storage', azureTable],
] as const) {
  describeTable(name, makeTable);
  describeIdentityStore(name, makeTable);
  describeFleetStore(name, makeTable);
  describeOperationStore(name, makeTable);
  describeAccessStore(name, makeTable);
  describeCounters(name, makeTable);
  describeOcspStore(name, makeTable);
  describeAuditStore(name, makeTable);
  describeRevocationRules(name, makeTable);
  describeCrlStore(name, makeTable);
  describeLeases(name, leasesOn(makeTable));
  describeRecordDump(name, makeTable);
}

describeWorkQueue('in memory', async () => {
  const queue = new MemoryWorkQueue();
  return {
    queue,
    takeAll: async () => [
      ...queue.takeAll(),
      ...queue.takeOperations().map((operationId) => ({ v: 1, type: 'operation', operationId })),
      ...Array.from({ length: queue.takeAnnouncements() }, () => ({ v: 1, type: 'publish-crl' })),
    ],
  };
});

describeWorkQueue('on Queue storage', async () => {
  const name = uniqueName();
  const client = new QueueClient(azurite.connectionString, name);
  const poison = new QueueClient(azurite.connectionString, `${name}-poison`);
  return {
    queue: new StorageWorkQueue(client, poison),
    takeAll: async () => {
      const { receivedMessageItems } = await client.receiveMessages({ numberOfMessages: 32 });
      return receivedMessageItems.map(({ messageText }) =>
        JSON.parse(Buffer.from(messageText, 'base64').toString('utf8')),
      );
    },
  };
});

const openContainer = (): OpenContainer => {
  const container = new ContainerClient(azurite.connectionString, uniqueName());
  return async () => container;
};

describeCrlFiles('in memory', async () => new MemoryCrlFiles());
describeCrlFiles('on Blob storage', async () => new BlobCrlFiles(openContainer()));

describeCheckpointStore('in memory', async () => new MemoryCheckpoints());
describeCheckpointStore('on Blob storage', async () => new BlobCheckpointStore(openContainer()));

describeBackupStore('in memory', async () => {
  const store = new MemoryBackups();
  return { store, read: async (name) => store.content(name) };
});
describeBackupStore('on Blob storage', async () => {
  const container = new ContainerClient(azurite.connectionString, uniqueName());
  return {
    store: new BlobBackupStore(async () => container),
    read: async (name) => {
      const blob = container.getBlockBlobClient(name);
      return (await blob.exists()) ? Uint8Array.from(await blob.downloadToBuffer()) : null;
    },
  };
});
