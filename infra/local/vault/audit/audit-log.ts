import { type FileHandle, open, readFile } from 'node:fs/promises';
import { VaultError } from '../errors.ts';
import type { VaultRequest, VaultResponse } from '../request.ts';
import { type AuditEntry, auditEntry } from './entry.ts';

/** Which entries to read; what is left out does not matter. */
export interface AuditFilter {
  readonly vault?: string | undefined;
  readonly operation?: string | undefined;
  /** The newest so many; all when left out. */
  readonly limit?: number | undefined;
}

/**
 * The audit log of a process's vaults: a file (0600) with one JSON object a line, oldest first, that later starts go
 * on with. An entry is with the operating system before its answer goes out, so SIGKILL loses none; as in Azure, whose
 * log arrives minutes later, a power cut may.
 */
export class AuditLog {
  readonly #path: string;
  readonly #file: FileHandle;
  #tail: Promise<unknown> = Promise.resolve();

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /** Opens or makes the file; a last line that a kill has cut is cut off for good. */
  static async open(path: string): Promise<AuditLog> {
    const file = await open(path, 'a+', 0o600);
    const content = await file.readFile();
    const end = content.lastIndexOf('\n'.charCodeAt(0)) + 1;
    if (end < content.length) await file.truncate(end);
    return new AuditLog(path, file);
  }

  /** Does the work of a request and writes down how it ended, whatever that was. */
  async watch(
    request: VaultRequest,
    work: (witness: { principal: string | null }) => Promise<VaultResponse>,
  ): Promise<VaultResponse> {
    const arrivedAt = new Date();
    const began = performance.now();
    const witness = { principal: null };
    const record = (status: number, error: unknown) => {
      const durationMs = performance.now() - began;
      return this.#append(auditEntry(request, { status, error, arrivedAt, durationMs, ...witness }));
    };
    let response: VaultResponse;
    try {
      response = await work(witness);
    } catch (error) {
      await record(error instanceof VaultError ? error.status : 500, error);
      throw error;
    }
    await record(response.status, null);
    return response;
  }

  /** Entries in the order they were written. */
  async read(filter: AuditFilter = {}): Promise<AuditEntry[]> {
    await this.#tail;
    const lines = (await readFile(this.#path, 'utf8')).split('\n').filter((line) => line !== '');
    const suffix = filter.vault === undefined ? '' : `/VAULTS/${filter.vault.toUpperCase()}`;
    const entries = lines
      .map((line) => JSON.parse(line) as AuditEntry)
      .filter(({ ResourceId }) => ResourceId.endsWith(suffix))
      .filter(({ OperationName }) => filter.operation === undefined || OperationName === filter.operation);
    return filter.limit === undefined ? entries : entries.slice(Math.max(0, entries.length - filter.limit));
  }

  async close(): Promise<void> {
    await this.#tail;
    await this.#file.close();
  }

  async #append(entry: AuditEntry): Promise<void> {
    const line = `${JSON.stringify(entry)}\n`;
    const write = () => this.#file.appendFile(line);
    this.#tail = this.#tail.then(write, write);
    await this.#tail;
  }
}
