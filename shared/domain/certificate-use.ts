import type { CertificateRecord } from './identity.ts';
import type { Instance } from './instance.ts';
import { HOUR_MS } from './instants.ts';

/** Which certificate of its line somebody shows. */
export type LinePlace = 'head' | 'successor' | 'superseded';

export function placeInLine(
  line: Instance,
  { serialNumber }: Pick<CertificateRecord, 'serialNumber'>,
): LinePlace {
  if (line.head.serialNumber === serialNumber) return 'head';
  return line.successor?.serialNumber === serialNumber ? 'successor' : 'superseded';
}

/** A line is not written again for being seen twice within this. */
const SEEN_AGAIN_MS = HOUR_MS;

/** Whether it is worth a write that somebody was seen now. */
export function isNewsToSee(lastSeenAt: Date | null, now: Date): boolean {
  return lastSeenAt === null || now.getTime() - lastSeenAt.getTime() > SEEN_AGAIN_MS;
}

/**
 * The line after its head or its successor was used with proof of the key: the successor's first use makes it the
 * head, which ends the certificate before it.
 * @returns null when the line says all that already, but for the minute
 */
export function lineAfterProof(line: Instance, place: 'head' | 'successor', now: Date): Instance | null {
  if (place === 'successor' && line.successor !== null) {
    const { spkiHash, ...head } = line.successor;
    return {
      ...line,
      spkiHash,
      head,
      provenAt: now,
      successor: null,
      originalSerialNumber: line.originalSerialNumber ?? line.head.serialNumber,
      lastSeenAt: now,
    };
  }
  if (line.provenAt !== null && !isNewsToSee(line.lastSeenAt, now)) return null;
  return { ...line, provenAt: line.provenAt ?? now, lastSeenAt: now };
}
