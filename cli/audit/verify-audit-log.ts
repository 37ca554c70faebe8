import { checkChain, type Entry, type Finding, type Seal } from './check-chain.ts';
import { type Checkpoint, readCheckpoint, type StoredCheckpoint } from './checkpoint.ts';

/** A page of `GET /api/events`. */
export interface EventsPage {
  readonly items: readonly Entry[];
  readonly nextCursor: string | null;
  readonly seal: Seal;
}

/** The three things that are held against each other. */
export interface AuditSources {
  /** @param query as `GET /api/events` takes it */
  events(query: Readonly<Record<string, string>>): Promise<EventsPage>;
  checkpoints(): Promise<readonly StoredCheckpoint[]>;
  /** SHA-256 fingerprints of the certificates that the vault signs checkpoints with, old versions included. */
  trusted(): Promise<ReadonlySet<string>>;
}

export interface ChainReport {
  readonly chain: string;
  readonly entries: number;
  readonly checkpoints: number;
  readonly lastCheckpoint: Checkpoint | null;
}

export interface AuditReport {
  readonly chains: readonly ChainReport[];
  readonly findings: readonly Finding[];
}

/** What the server answered instead of events. */
export class UnreadableEvents extends Error {}

/**
 * Verifies the whole log: every chain that has an entry or a checkpoint, and the list of all of them.
 * @throws whatever a source throws, but for UnreadableEvents of a chain, which is damage
 */
export async function verifyAuditLog(sources: AuditSources): Promise<AuditReport> {
  const findings: Finding[] = [];
  const trusted = await sources.trusted();
  // First of all: what has a checkpoint now must be there afterwards.
  const genuine = new Map<string, Checkpoint[]>();
  for (const stored of await sources.checkpoints()) {
    const read = readCheckpoint(stored, trusted);
    const { chain, seq } = stored;
    const known = genuine.get(chain) ?? [];
    genuine.set(chain, known);
    if (typeof read !== 'string') known.push(read);
    else findings.push({ chain, damage: 'forged', text: `the checkpoint of entry ${seq}: ${read}` });
  }
  const listed = await listEverything(sources, findings);
  const names = [...new Set([...genuine.keys(), ...listed.chains, '_fleet'])].sort();
  const chains: ChainReport[] = [];
  for (const chain of names) {
    const checkpoints = genuine.get(chain) ?? [];
    const entries = await checkOne(sources, chain, checkpoints, findings);
    const lastCheckpoint = checkpoints.reduce<Checkpoint | null>(
      (last, one) => (last === null || one.seq > last.seq ? one : last),
      null,
    );
    for (const { seq, hash } of entries) {
      if (!listed.isWhole || seq === null || seq > (lastCheckpoint?.seq ?? 0)) continue;
      if (listed.hashes.has(String(hash))) continue;
      const text = `entry ${seq} is missing from the list of all chains`;
      findings.push({ chain, damage: 'hidden', text });
    }
    const count = entries.filter(({ seq }) => seq !== null).length;
    chains.push({ chain, entries: count, checkpoints: checkpoints.length, lastCheckpoint });
  }
  return { chains, findings };
}

async function listEverything(sources: AuditSources, findings: Finding[]) {
  const chains = new Set<string>();
  const hashes = new Set<string>();
  let isWhole = true;
  try {
    for await (const { items } of pages(sources, {})) {
      for (const { chain, hash } of items) {
        chains.add(chain);
        if (hash !== null) hashes.add(hash);
      }
    }
  } catch (error) {
    if (!(error instanceof UnreadableEvents)) throw error;
    isWhole = false;
    findings.push({ chain: 'all chains', damage: 'unreadable', text: error.message });
  }
  return { chains, hashes, isWhole };
}

async function checkOne(
  sources: AuditSources,
  chain: string,
  checkpoints: readonly Checkpoint[],
  findings: Finding[],
): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  let sealBefore: Seal | null = null;
  try {
    for await (const { items, seal } of pages(sources, { cluster: chain })) {
      sealBefore ??= seal;
      entries.push(...items);
    }
    const { seal: sealAfter } = await sources.events({ cluster: chain, limit: '1' });
    findings.push(
      ...checkChain({ chain, entries, checkpoints, sealBefore: sealBefore ?? sealAfter, sealAfter }),
    );
  } catch (error) {
    if (!(error instanceof UnreadableEvents)) throw error;
    const last = entries.at(-1)?.seq ?? 0;
    findings.push({ chain, damage: 'unreadable', text: `behind entry ${last}: ${error.message}` });
  }
  return entries;
}

async function* pages(
  sources: AuditSources,
  query: Readonly<Record<string, string>>,
): AsyncGenerator<EventsPage> {
  let cursor: string | null = null;
  do {
    const page = await sources.events({ ...query, limit: '500', ...(cursor === null ? {} : { cursor }) });
    yield page;
    cursor = page.nextCursor;
  } while (cursor !== null);
}
