import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url));

/** What `npm run package` makes, alone in a folder with nothing above it that Node would find a package in. */
export class Packaged {
  readonly folder = mkdtempSync(join(tmpdir(), 'everleaf-package-'));

  /** @param checkout whose sources; by default these */
  constructor(checkout: string = CHECKOUT) {
    const run = spawnSync(process.execPath, ['infra/local/run.mjs', 'package', this.folder], {
      cwd: checkout,
      encoding: 'utf8',
    });
    if (run.status === 0) return;
    this.remove();
    throw new Error(`npm run package ended with ${run.status}: ${run.stdout}${run.stderr}`);
  }

  /** Paths from the folder on, sorted, to their contents. */
  files(): Map<string, Buffer> {
    const entries = readdirSync(this.folder, { recursive: true, withFileTypes: true });
    const paths = entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(this.folder.length + 1));
    return new Map(paths.sort().map((path) => [path, readFileSync(join(this.folder, path))]));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
