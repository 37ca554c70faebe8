import type { Deps, Run } from './deps.ts';

/**
 * Does a timer's work under its lease.
 * @param busy says who is at it when another run holds the lease
 * @returns null when another run holds it: the work is that one's then
 */
export async function withLease<T>(
  deps: Pick<Deps, 'leases'>,
  run: Run,
  { name, seconds, busy }: { readonly name: string; readonly seconds: number; readonly busy: string },
  work: () => Promise<T>,
): Promise<T | null> {
  const lease = await deps.leases.acquire(name, seconds);
  if (lease === null) {
    run.log.write('info', `${busy}; this one leaves the work to it.`);
    return null;
  }
  try {
    return await work();
  } finally {
    await lease.release();
  }
}
