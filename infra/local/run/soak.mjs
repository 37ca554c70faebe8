/** `npm run soak:<name>`: what takes too long for every `npm test`. One program each, in test/soak. */
import { delimiter, join } from 'node:path';
import { build } from './build.mjs';
import { runUntilEnd } from './child.mjs';
import { Refusal } from './refusal.mjs';

const SOAKS = ['kill'];

/**
 * @param names the one soak to run, then its own arguments
 * @returns the exit code: 0 when everything held
 * @throws Refusal for an unknown name
 */
export async function runSoak(checkout, node, [name = '', ...rest]) {
  if (!SOAKS.includes(name))
    throw new Refusal(`Say which soak to run: ${SOAKS.join(', ')}. For example: npm run soak:kill`);
  await build(checkout, node);
  const path = join(checkout, 'node_modules/.bin') + delimiter + process.env['PATH'];
  return runUntilEnd(node, [join(checkout, 'test/soak', `${name}.ts`), ...rest], {
    cwd: checkout,
    env: { ...process.env, PATH: path },
  });
}
