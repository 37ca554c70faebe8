import { TableClient } from '@azure/data-tables';
import type { TokenCredential } from '@azure/identity';
import type { ContainerClient } from '@azure/storage-blob';
import { QueueClient } from '@azure/storage-queue';
import { AzureTable } from './azure-table.ts';
import { BACKUP_CONTAINER, BlobBackupStore } from './blob-backup-store.ts';
import { BlobCheckpointStore, CHECKPOINT_CONTAINER } from './blob-checkpoint-store.ts';
import { BlobCrlFiles, CRL_CONTAINER } from './blob-crl-files.ts';
import type { OpenContainer } from './numbered-blobs.ts';
import { POISON_QUEUE, StorageWorkQueue, WORK_QUEUE } from './storage-work-queue.ts';
import { VAULT_EVENT_POISON_QUEUE, VAULT_EVENT_QUEUE, VaultEventQueue } from './vault-event-queue.ts';

/** Where the record is: a storage account by the app's identity, or on one machine by a connection string. */
export type RecordStorage =
  | { readonly connectionString: string }
  | {
      readonly tableServiceUri: string;
      readonly queueServiceUri: string;
      readonly blobServiceUri: string;
    };

export interface RecordClients {
  readonly record: AzureTable;
  readonly serials: AzureTable;
  readonly keys: AzureTable;
  readonly counters: AzureTable;
  readonly answers: AzureTable;
  readonly queue: StorageWorkQueue;
  readonly vaultEvents: VaultEventQueue;
  readonly checkpoints: BlobCheckpointStore;
  readonly crlFiles: BlobCrlFiles;
  readonly backups: BlobBackupStore;
}

/** Clients of the record's tables, queue and blobs. Nothing is called yet. */
export function connectStorage(storage: RecordStorage, credential: TokenCredential): RecordClients {
  return {
    record: table(storage, credential, 'EverleafRecord'),
    serials: table(storage, credential, 'EverleafSerials'),
    keys: table(storage, credential, 'EverleafKeys'),
    counters: table(storage, credential, 'EverleafCounters'),
    answers: table(storage, credential, 'EverleafAnswers'),
    queue: new StorageWorkQueue(
      queue(storage, credential, WORK_QUEUE),
      queue(storage, credential, POISON_QUEUE),
    ),
    vaultEvents: new VaultEventQueue(
      queue(storage, credential, VAULT_EVENT_QUEUE),
      queue(storage, credential, VAULT_EVENT_POISON_QUEUE),
    ),
    checkpoints: new BlobCheckpointStore(container(storage, credential, CHECKPOINT_CONTAINER)),
    crlFiles: new BlobCrlFiles(container(storage, credential, CRL_CONTAINER)),
    backups: new BlobBackupStore(container(storage, credential, BACKUP_CONTAINER)),
  };
}

function table(storage: RecordStorage, credential: TokenCredential, name: string): AzureTable {
  if ('connectionString' in storage) {
    // The settings accept a connection string for this machine alone, where storage speaks plain http.
    const options = { allowInsecureConnection: true };
    return new AzureTable(TableClient.fromConnectionString(storage.connectionString, name, options));
  }
  return new AzureTable(new TableClient(storage.tableServiceUri, name, credential));
}

function queue(storage: RecordStorage, credential: TokenCredential, name: string): QueueClient {
  if ('connectionString' in storage) return new QueueClient(storage.connectionString, name);
  return new QueueClient(`${storage.queueServiceUri.replace(/\/$/, '')}/${name}`, credential);
}

function container(storage: RecordStorage, credential: TokenCredential, name: string): OpenContainer {
  let client: Promise<ContainerClient> | undefined;
  return () => {
    client ??= import('@azure/storage-blob').then(({ ContainerClient }) =>
      'connectionString' in storage
        ? new ContainerClient(storage.connectionString, name)
        : new ContainerClient(`${storage.blobServiceUri.replace(/\/$/, '')}/${name}`, credential),
    );
    return client;
  };
}
