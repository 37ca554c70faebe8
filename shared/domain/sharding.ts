/** Partitions that the record is spread over. Fixed for a deployment: it decides where every row is. */
export const RECORD_SHARDS = 32;

/**
 * The partition of a cluster: 32-bit FNV-1a of its name (RFC 9923) modulo the number of partitions. All rows of a
 * cluster live there, because a transaction reaches no further than one partition.
 */
export function shardOf(cluster: string, shards: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < cluster.length; i++) {
    hash = Math.imul(hash ^ cluster.charCodeAt(i), 0x01000193) >>> 0;
  }
  return hash % shards;
}
