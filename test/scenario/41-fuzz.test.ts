/** Whatever is sent to whatever route: an answer of the contract, no secret, and a record that is whole. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz, TARGETS } from '../support/fuzz/fuzz.ts';
import { RECIPES } from '../support/fuzz/recipes.ts';

/** The same runs each time; `npm run soak:fuzz` makes up others. */
const SEED = 5;
const CASES = 500;

test('41 every route and method has requests to be fuzzed with', () => {
  const known = Object.entries(RECIPES).flatMap(([name, methods]) =>
    Object.keys(methods).map((method) => `${method} ${name}`),
  );
  assert.deepEqual(TARGETS.map(({ name, method }) => `${method} ${name}`).sort(), known.sort());
});

test('41 good, nearly good and garbage requests get answers of the contract and no secret', async () => {
  const { cases } = await fuzz({ cases: CASES, seed: SEED });
  assert.ok(cases >= CASES);
});
