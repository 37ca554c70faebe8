/**
 * Keeps two runs of one timer from doing the same work at once. A lease saves work and nothing else: whoever holds
 * one must still be right when somebody else believes the same.
 * 1. `acquire` gives a lease to one caller at a time, or null at once; it never waits.
 * 2. A lease that was not released ends by itself after `seconds`.
 * 3. `release` gives back only what this caller holds and never throws for having lost it.
 */
export interface Leases {
  acquire(name: string, seconds: number): Promise<Lease | null>;
}

export interface Lease {
  release(): Promise<void>;
}
