import type { Instance } from '../../shared/domain/instance.ts';
import { buildHead, ISSUED_AT } from './build-identity.ts';

/** A line of certificates of management/KMS that began at ISSUED_AT and was never renewed. */
export function buildLine(changes: Partial<Instance> = {}): Instance {
  const head = buildHead();
  return {
    v: 1,
    id: '11'.repeat(16),
    identity: { cluster: 'management', name: 'KMS' },
    incarnation: 1,
    startedAt: ISSUED_AT,
    spkiHash: 'ab'.repeat(32),
    head,
    provenAt: null,
    successor: null,
    originalSerialNumber: null,
    lockedAt: null,
    revokedAt: null,
    revocationReason: null,
    recoveriesUsed: 0,
    lastSeenAt: null,
    bundleId: null,
    ...changes,
  };
}
