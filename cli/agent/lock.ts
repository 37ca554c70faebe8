import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Another agent works on the same folder. */
export class Locked extends Error {}

/**
 * Sees to it that one agent at a time works on a folder: two would renew one certificate with two keys, and the one whose key
 * loses looks like a thief to the server. The lock is a local socket's name, which the operating system frees when its
 * holder ends in whatever way; a file would outlive a kill. (On systems that have neither Linux's abstract names nor Windows'
 * pipes the socket is a file, and has to be deleted by hand after a kill.)
 * @returns frees the lock
 * @throws Locked
 */
export async function lockFolder(folder: string): Promise<() => void> {
  const id = createHash('sha256').update(realpathSync(folder)).digest('hex').slice(0, 32);
  const name = `everleaf-agent-${id}`;
  const path = { linux: `\0${name}`, win32: `\\\\.\\pipe\\${name}` }[process.platform as string];
  const server = createServer((connection) => connection.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new Locked(`Another agent works on ${folder}. Let it, or stop it first.`)
          : error,
      ),
    );
    server.listen(path ?? join(tmpdir(), name), resolve);
  });
  server.unref();
  return () => server.close();
}
