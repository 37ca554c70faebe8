/** Whether dist/ is what the sources give, told without compiling them: by what both were after the last build. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** All that the compiler reads. The lockfile stands for the compiler itself and for the packages' types. */
const INPUTS = [
  'functions',
  'shared',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
];

/** @returns true when neither sources nor dist have changed since `stampBuild` */
export function isBuilt(checkout) {
  const stamp = stampOf(checkout);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint(checkout);
}

/** Remembers the sources and the dist that was just made of them. */
export function stampBuild(checkout) {
  writeFileSync(stampOf(checkout), fingerprint(checkout));
}

/** Beside the stamp of the installed packages: ignored by git, and gone when they are. */
function stampOf(checkout) {
  return join(checkout, 'node_modules/.everleaf-build');
}

function fingerprint(checkout) {
  return `${treeHash(checkout, INPUTS)} ${treeHash(checkout, ['dist'])}\n`;
}

function treeHash(checkout, roots) {
  const hash = createHash('sha256');
  for (const root of roots) {
    for (const name of filesOf(checkout, root)) {
      const content = readFileSync(join(checkout, name));
      // The length keeps a file's end apart from the next one's name.
      hash.update(`${name}\n${content.length}\n`).update(content);
    }
  }
  return hash.digest('hex');
}

/** The files at or below a path, by their names from the checkout on, in one order everywhere. */
function filesOf(checkout, root) {
  const path = join(checkout, root);
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [root];
  return readdirSync(path, { recursive: true })
    .map((name) => join(root, name))
    .filter((name) => statSync(join(checkout, name)).isFile())
    .sort();
}
