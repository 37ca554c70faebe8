/** What is hashed of an audit entry. Written apart from the server's code, so that the two cannot share a mistake. */
import { createHash } from 'node:crypto';

/** What the first entry of a chain names as the hash before it. */
export const FIRST_PREVIOUS_HASH = '0'.repeat(64);

/**
 * SHA-256 over the RFC 8785 form of an entry without its `hash`, as lower-case hex.
 * @param entry as `GET /api/events` answered it
 */
export function entryHash(entry: Readonly<Record<string, unknown>>): string {
  const { hash: _, ...content } = entry;
  return createHash('sha256').update(canonical(content), 'utf8').digest('hex');
}

/** RFC 8785: what comes from JSON.parse needs its properties sorted, and is written by JSON.stringify otherwise. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const record = value as Record<string, unknown>;
  const names = Object.keys(record).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(record[name])}`).join(',')}}`;
}
