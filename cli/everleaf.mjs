#!/usr/bin/env node
/**
 * The `everleaf` command, as `npx everleaf` finds it: plain JavaScript for whatever Node is on the machine. The command's
 * own sources are TypeScript, which Node runs since 22.18 (https://nodejs.org/api/typescript.html); an older one hands over
 * to the Node that package.json pins.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const pinned = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));

if (process.features.typescript) {
  await import('./everleaf.ts');
} else if (existsSync(pinned)) {
  const program = fileURLToPath(new URL('everleaf.ts', import.meta.url));
  const child = spawn(pinned, [...process.execArgv, program, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
} else {
  console.error(
    `This is Node ${process.versions.node}, and everleaf needs Node 22.18 or newer. ` +
      'Install it, or run `npm ci` in the checkout, which brings one along.',
  );
  process.exitCode = 2;
}
