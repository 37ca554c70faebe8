/** Where the verifier reads: the app over HTTP, checkpoints from a directory or from blobs, certificates from a file or the vault. */
import { X509Certificate } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { ContainerClient } from '@azure/storage-blob';
import type { StoredCheckpoint } from './checkpoint.ts';
import { type EventsPage, UnreadableEvents } from './verify-audit-log.ts';

const CONTAINER = 'audit-checkpoints';
const CERTIFICATE = 'audit-signing';
const TIMEOUT_MS = 60_000;

/** `GET /api/events` of an app, as an operator or reader. */
export async function eventsOverHttp(
  baseUrl: string,
  token: string,
  query: Readonly<Record<string, string>>,
): Promise<EventsPage> {
  const url = `${baseUrl.replace(/\/$/, '')}/api/events?${new URLSearchParams(query)}`;
  const answer = await fetch(url, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (answer.ok) return (await answer.json()) as EventsPage;
  const text = `GET ${url} answered ${answer.status}: ${await answer.text()}`;
  // 500 is what the app says of a row that it cannot read; anything else is no news of the log.
  throw answer.status === 500 ? new UnreadableEvents(text) : new Error(text);
}

/** Checkpoints in a directory, as `az storage blob download-batch --source audit-checkpoints` leaves them. */
export async function checkpointsInDirectory(directory: string): Promise<StoredCheckpoint[]> {
  const files = await readdir(directory, { recursive: true });
  const found = files.map((file) => ({ file, name: nameOf(file.split(sep).join('/')) }));
  return Promise.all(
    found.flatMap(({ file, name }) =>
      name === null
        ? []
        : [readFile(join(directory, file), 'utf8').then((jws): StoredCheckpoint => ({ ...name, jws }))],
    ),
  );
}

/** Checkpoints in the storage of one machine. */
export async function checkpointsInStorage(connectionString: string): Promise<StoredCheckpoint[]> {
  const container = new ContainerClient(connectionString, CONTAINER);
  if (!(await container.exists())) return [];
  const found: StoredCheckpoint[] = [];
  for await (const blob of container.listBlobsFlat()) {
    const name = nameOf(blob.name);
    if (name === null) continue;
    const jws = (await container.getBlockBlobClient(blob.name).downloadToBuffer()).toString('utf8');
    found.push({ ...name, jws });
  }
  return found;
}

/** The fingerprints of the certificates in a PEM file. */
export async function trustedInFile(path: string): Promise<ReadonlySet<string>> {
  const pems = (await readFile(path, 'utf8')).match(
    /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g,
  );
  if (pems === null) throw new Error(`${path} holds no certificate in PEM.`);
  return new Set(pems.map((pem) => new X509Certificate(pem).fingerprint256));
}

/**
 * The fingerprints of every version of the signing certificate, asked of the vault itself
 * (https://learn.microsoft.com/rest/api/keyvault/certificates/get-certificate-versions).
 */
export async function trustedInVault(vaultUrl: string, token: string): Promise<ReadonlySet<string>> {
  const get = async <T>(url: string): Promise<T | null> => {
    const answer = await fetch(url, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    // Nothing was ever signed.
    if (answer.status === 404) return null;
    if (!answer.ok) throw new Error(`GET ${url} answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as T;
  };
  const fingerprints = new Set<string>();
  let next: string | null = `${vaultUrl}/certificates/${CERTIFICATE}/versions?api-version=7.5`;
  while (next !== null) {
    const page: { value: { id: string }[]; nextLink?: string | null } | null = await get(next);
    for (const { id } of page?.value ?? []) {
      const version = await get<{ cer: string }>(`${id}?api-version=7.5`);
      if (version !== null) {
        fingerprints.add(new X509Certificate(Buffer.from(version.cer, 'base64')).fingerprint256);
      }
    }
    next = page?.nextLink ?? null;
  }
  return fingerprints;
}

/** `<chain>/<seq>.jws`, or null for what is no checkpoint. */
function nameOf(path: string): { chain: string; seq: number } | null {
  const [, chain = '', digits = ''] = /^([\w-]+)\/(\d+)\.jws$/.exec(path) ?? [];
  return chain === '' ? null : { chain, seq: Number(digits) };
}
