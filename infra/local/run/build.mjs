/** dist/: exactly what the sources give, also while another environment runs from the same checkout. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isBuilt, stampBuild } from './build-stamp.mjs';
import { runUntilEnd } from './child.mjs';
import { Refusal } from './refusal.mjs';
import { withSetupLock } from './setup-lock.mjs';

/** Beside dist and as deep, since source maps hold relative paths; left over only by a kill, and swept away here. */
const TEMPORARY = /^dist-\w+\.tmp$/;

/**
 * Compiles into a fresh folder, so that nothing of a deleted source lingers, and puts it in the place of dist in one
 * step; leaves dist alone when it is the same already, and does not even compile when nothing has changed since.
 * @throws Refusal when the sources do not compile; dist is as it was
 */
export async function build(checkout, node) {
  await withSetupLock(checkout, async () => {
    if (isBuilt(checkout)) return;
    for (const name of readdirSync(checkout)) if (TEMPORARY.test(name)) remove(join(checkout, name));
    const fresh = join(checkout, `dist-${process.pid}.tmp`);
    const old = join(checkout, `dist-${process.pid}old.tmp`);
    const dist = join(checkout, 'dist');
    try {
      const tsc = join(checkout, 'node_modules/typescript/bin/tsc');
      const args = [tsc, '-p', join(checkout, 'tsconfig.build.json'), '--outDir', fresh];
      const code = await runUntilEnd(node, args);
      if (code !== 0) throw new Refusal('The sources do not compile; what is wrong stands above.', code);
      if (!existsSync(dist) || !isSameTree(dist, fresh)) {
        if (existsSync(dist)) renameSync(dist, old);
        renameSync(fresh, dist);
      }
      stampBuild(checkout);
    } finally {
      remove(fresh);
      remove(old);
    }
  });
}

function remove(path) {
  rmSync(path, { recursive: true, force: true });
}

function isSameTree(a, b) {
  const files = (root) =>
    readdirSync(root, { recursive: true }).filter((name) => statSync(join(root, name)).isFile());
  const ofA = files(a).sort();
  const ofB = files(b).sort();
  return (
    ofA.length === ofB.length &&
    ofA.every((name, i) => name === ofB[i] && readFileSync(join(a, name)).equals(readFileSync(join(b, name))))
  );
}
