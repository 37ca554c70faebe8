import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The openssl command line in a temporary directory of its own, which `remove` takes away. */
export interface OpensslDirectory {
  /** Writes a file there and returns its path. */
  write(file: string, content: string | Uint8Array): string;
  path(file: string): string;
  /** Runs a command that must succeed; returns what it printed. */
  run(...args: string[]): string;
  /** Runs a command; returns whether it succeeded and what it printed on both streams. */
  attempt(...args: string[]): { succeeded: boolean; output: string };
  remove(): void;
}

/** A configuration without defaults, so that nothing of the machine's own gets into a request. */
const CONFIGURATION = '[req]\ndistinguished_name = subject\nprompt = yes\n[subject]\n';

export function openOpensslDirectory(): OpensslDirectory {
  const directory = mkdtempSync(join(tmpdir(), 'everleaf-pki-'));
  writeFileSync(join(directory, 'openssl.cnf'), CONFIGURATION);
  const spawn = (args: string[]) =>
    spawnSync('openssl', args, {
      cwd: directory,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], OPENSSL_CONF: join(directory, 'openssl.cnf') },
    });
  return {
    write(file, content) {
      writeFileSync(join(directory, file), content);
      return join(directory, file);
    },
    path: (file) => join(directory, file),
    run(...args) {
      const { status, stdout, stderr, error } = spawn(args);
      if (status !== 0) throw new Error(`openssl ${args.join(' ')} failed: ${error?.message ?? stderr}`);
      return stdout;
    },
    attempt(...args) {
      const { status, stdout, stderr } = spawn(args);
      return { succeeded: status === 0, output: stdout + stderr };
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
