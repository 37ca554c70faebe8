import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { COMPUTED, importsOf, sourcesIn, withoutComments } from './sources.ts';

const PATH = 'shared/http/a.ts';
const only = (code: string) => {
  const [found, ...more] = importsOf(code, PATH);
  assert.deepEqual(more, [], code);
  return found;
};

describe('the reader of sources that the rules stand on', () => {
  it('finds every form of import that loads a file', () => {
    for (const code of [
      "import '../domain/b.ts';",
      "import b from '../domain/b.ts';",
      "import { b } from '../domain/b.ts';",
      "import { type B, b as c } from '../domain/b.ts';",
      "import { type B } from '../domain/b.ts';",
      "import {\n  type B,\n  b,\n} from '../domain/b.ts';",
      "import * as b from '../domain/b.ts';",
      "export * from '../domain/b.ts';",
      "export { b } from '../domain/b.ts';",
      'const x = 1;\nimport { b } from "../domain/b.ts"',
      "const b = await import('../domain/b.ts');",
      "const b = require('../domain/b.ts');",
    ]) {
      assert.deepEqual(only(code), { target: 'shared/domain/b.ts', isFile: true, isTypeOnly: false }, code);
    }
  });

  it('tells imports of types from the others', () => {
    for (const code of [
      "import type { B } from '../domain/b.ts';",
      "import type B from '../domain/b.ts';",
      "export type { B } from '../domain/b.ts';",
      "import type {\n  B,\n  C,\n} from '../domain/b.ts';",
    ]) {
      assert.deepEqual(only(code), { target: 'shared/domain/b.ts', isFile: true, isTypeOnly: true }, code);
    }
  });

  it('names packages without their subpath, and Node’s modules in full', () => {
    assert.equal(only("import { z } from 'zod/v4';")?.target, 'zod');
    assert.equal(only("import { c } from '@azure/data-tables/x';")?.target, '@azure/data-tables');
    assert.equal(only("import { d } from 'node:timers/promises';")?.target, 'node:timers/promises');
  });

  it('sees an import whose file is computed, and takes none for one that is not', () => {
    assert.equal(only('await import(path)')?.target, COMPUTED);
    assert.equal(only(`await import(\`./\${name}.ts\`)`)?.target, COMPUTED);
    const innocent = "export const from = 'b'; const u = import.meta.url; export type A = 'a' | 'b';";
    assert.deepEqual(importsOf(innocent, PATH), []);
  });

  it('leaves comments out and strings alone', () => {
    const code = withoutComments("const url = 'https://a'; // import 'b';\n/* import 'c';\n */ x(`//d`);");
    assert.match(code, /'https:\/\/a'/);
    assert.match(code, /x\(`\/\/d`\)/);
    assert.doesNotMatch(code, /import/);
  });

  it('finds the sources of the product', () => {
    const paths = sourcesIn('shared').map(({ path }) => path);
    assert.ok(paths.includes('shared/app.ts') && paths.includes('shared/domain/errors.ts'));
  });
});
