/** One process at a time installs or builds in a checkout. */
import { createHash } from 'node:crypto';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { acquireDirectory, describeClaims } from '../supervisor/claims.mjs';
import { Refusal } from './refusal.mjs';

const WAIT_MS = 15 * 60_000;

/**
 * @returns what `work` returns
 * @throws Refusal when another process has been at it for a quarter of an hour
 */
export async function withSetupLock(checkout, work) {
  const name = createHash('sha256').update(`${userInfo().uid} ${checkout}`).digest('hex').slice(0, 16);
  // Outside the checkout: node_modules may not exist yet, and nothing is to lie about there.
  const directory = join(tmpdir(), `everleaf-setup-${name}`);
  let release;
  try {
    release = await acquireDirectory(directory, 'setup', {
      waitMs: WAIT_MS,
      onWait: (holders) =>
        console.log(`Waiting for ${describeClaims(holders)}, which installs or builds here`),
    });
  } catch (error) {
    if (error.holders === undefined) throw error;
    throw new Refusal(
      `Gave up waiting for ${describeClaims(error.holders)} to install or build in ${checkout}.`,
    );
  }
  try {
    return await work();
  } finally {
    release();
  }
}
