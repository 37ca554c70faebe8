/** `npm run soak` and `npm run soak:<name>`: what takes too long for every `npm test`. One program each, in test/soak. */
import { delimiter, join } from 'node:path';
import { build } from './build.mjs';
import { runUntilEnd } from './child.mjs';
import { Refusal } from './refusal.mjs';

/** In the order in which they run all. Those that start whole environments need the app as it is shipped. */
const SOAKS = {
  authorities: { needsBuild: false },
  fuzz: { needsBuild: false },
  kill: { needsBuild: true },
};

/**
 * @param names the one soak to run, then its own arguments; none for all of them, one after the other
 * @returns the exit code: 0 when everything held, otherwise that of the first that did not
 * @throws Refusal for an unknown name
 */
export async function runSoak(checkout, node, [name, ...rest]) {
  if (name !== undefined && !Object.hasOwn(SOAKS, name))
    throw new Refusal(
      `Say which soak to run: ${Object.keys(SOAKS).join(', ')}; or none of them for all. For example: npm run soak:kill`,
    );
  for (const each of name === undefined ? Object.keys(SOAKS) : [name]) {
    const code = await runOne(checkout, node, each, rest);
    if (code !== 0) return code;
  }
  return 0;
}

async function runOne(checkout, node, name, args) {
  if (SOAKS[name].needsBuild) await build(checkout, node);
  const path = join(checkout, 'node_modules/.bin') + delimiter + process.env['PATH'];
  return runUntilEnd(node, [join(checkout, 'test/soak', `${name}.ts`), ...args], {
    cwd: checkout,
    env: { ...process.env, PATH: path },
  });
}
