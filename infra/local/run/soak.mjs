/** `npm run soak:<name>`: what takes too long for every `npm test`. One program each, in test/soak. */
import { delimiter, join } from 'node:path';
import { build } from './build.mjs';
import { runUntilEnd } from './child.mjs';
import { Refusal } from './refusal.mjs';

/** Those that start whole environments need the app as it is shipped. */
const SOAKS = { kill: { needsBuild: true }, fuzz: { needsBuild: false } };

/**
 * @param names the one soak to run, then its own arguments
 * @returns the exit code: 0 when everything held
 * @throws Refusal for an unknown name
 */
export async function runSoak(checkout, node, [name = '', ...rest]) {
  if (!Object.hasOwn(SOAKS, name))
    throw new Refusal(
      `Say which soak to run: ${Object.keys(SOAKS).join(', ')}. For example: npm run soak:kill`,
    );
  if (SOAKS[name].needsBuild) await build(checkout, node);
  const path = join(checkout, 'node_modules/.bin') + delimiter + process.env['PATH'];
  return runUntilEnd(node, [join(checkout, 'test/soak', `${name}.ts`), ...rest], {
    cwd: checkout,
    env: { ...process.env, PATH: path },
  });
}
