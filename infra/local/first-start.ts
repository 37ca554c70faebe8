/**
 * The first start on one machine: runs the product's own use case through its own adapters until every vault-delivered
 * client has its first certificate, and writes what it answers into login files. Does nothing that is done already.
 */
import { randomUUID } from 'node:crypto';
import { access, chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type App, getApp } from '../../shared/app.ts';
import { MANAGEMENT_CLUSTER } from '../../shared/domain/names.ts';
import { readTrustBundle } from '../../shared/use-cases/authorities.ts';
import type { Run } from '../../shared/use-cases/deps.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { makeLoginFile } from '../../shared/use-cases/make-login-file.ts';

const run: Run = {
  actor: { kind: 'operator', id: 'first-start', source: null },
  correlationId: randomUUID(),
  log: {
    write: (level, message) => {
      if (level === 'info') console.log(message);
      else if (level !== 'debug') console.error(message);
    },
  },
};

/** Tries of a client's first credentials; a failure has its reason in the lines before. */
const TRIES = 3;

try {
  await start();
} catch (error) {
  console.error(`The first start cannot go on: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function start(): Promise<void> {
  const app = getApp();
  let missing = await firstStart(app.deps, run);
  for (let attempt = 1; attempt < TRIES && missing.length > 0; attempt++)
    missing = await firstStart(app.deps, run);
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(', ');
    throw new Error(`no first credentials for ${names}; the reasons stand above`);
  }
  await writeLoginFiles(app, process.env['EVERLEAF_LOGIN_DIR'] ?? '');
  const caBundle = process.env['EVERLEAF_CA_BUNDLE'];
  if (caBundle !== undefined) await writePrivate(caBundle, (await readTrustBundle(app.deps)).pem);
}

/** A login file is written once: it does not follow later rotations, and a used token cannot be told again. */
async function writeLoginFiles({ deps }: App, loginDir: string): Promise<void> {
  if (loginDir === '') throw new Error('EVERLEAF_LOGIN_DIR is not set: start this with `npm start`.');
  const folder = join(loginDir, MANAGEMENT_CLUSTER);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { items } = await deps.identities.identities({ cluster: MANAGEMENT_CLUSTER, limit: 500 });
  for (const identity of items) {
    const path = join(folder, `${identity.name}.yaml`);
    if (await exists(path)) continue;
    const yaml = await makeLoginFile(deps, identity);
    if (yaml === null) {
      console.error(
        `No login file for ${identity.name}: its token was used already and cannot be told again.`,
      );
      continue;
    }
    await writePrivate(path, yaml.reveal());
  }
}

/** In one step, for the owner alone. */
async function writePrivate(path: string, text: string): Promise<void> {
  await writeFile(`${path}.tmp`, text, { mode: 0o600 });
  await chmod(`${path}.tmp`, 0o600);
  await rename(`${path}.tmp`, path);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
