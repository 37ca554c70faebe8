/** The storage account of the local environment: tables, queues and blobs of one account, kept in one directory. */
import { ensurePrivateDirectory } from '../supervisor/files.ts';
import {
  type AzuriteServer,
  closeInOrder,
  createBlobServer,
  createQueueServer,
  createTableServer,
} from './azurite.ts';

export interface StorageProcessConfig {
  /** Where the account's data is kept; created when missing. */
  readonly directory: string;
  /** Ports on 127.0.0.1; 0 = any free one. */
  readonly ports: { readonly blob: number; readonly queue: number; readonly table: number };
  /** Base64; the account's only key. */
  readonly accountKey: string;
}

export interface StorageEndpoints {
  /** Service URLs with the account, without a slash at the end. */
  readonly blob: string;
  readonly queue: string;
  readonly table: string;
  readonly connectionString: string;
}

/** The name every emulator of Azure Storage uses ("Use the Azurite emulator", Microsoft Learn). */
const ACCOUNT = 'devstoreaccount1';

// Long enough for any request of ours; a client that hangs must not keep the data from the disk.
const GRACE_MS = 5_000;

/**
 * Starts the three services. The caller makes sure that no other process uses the directory.
 * @throws the system's error when a port is taken
 */
export async function startStorage(
  config: StorageProcessConfig,
): Promise<{ endpoints: StorageEndpoints; stop(): Promise<void> }> {
  ensurePrivateDirectory(config.directory);
  // Azurite takes accounts from here only, and reads it again once a minute.
  process.env['AZURITE_ACCOUNTS'] = `${ACCOUNT}:${config.accountKey}`;
  const blob = createBlobServer(config.directory, config.ports.blob);
  const queue = createQueueServer(config.directory, config.ports.queue);
  const table = createTableServer(config.directory, config.ports.table);
  const closers: (() => Promise<void>)[] = [];
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= Promise.all(closers.map((close) => close())).then(() => undefined);
    return stopping;
  };
  try {
    for (const server of [blob, queue, table]) {
      const close = closeInOrder(server, GRACE_MS);
      await server.start();
      closers.push(close);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { endpoints: endpointsOf(config.accountKey, blob, queue, table), stop };
}

function endpointsOf(
  key: string,
  blob: AzuriteServer,
  queue: AzuriteServer,
  table: AzuriteServer,
): StorageEndpoints {
  const url = (server: AzuriteServer) => `${server.getHttpServerAddress()}/${ACCOUNT}`;
  return {
    blob: url(blob),
    queue: url(queue),
    table: url(table),
    connectionString: [
      'DefaultEndpointsProtocol=http',
      `AccountName=${ACCOUNT}`,
      `AccountKey=${key}`,
      `BlobEndpoint=${url(blob)}`,
      `QueueEndpoint=${url(queue)}`,
      `TableEndpoint=${url(table)}`,
    ].join(';'),
  };
}
