import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { VERSION } from '../../shared/config/version.ts';
import { ROOT, sourcesIn } from './sources.ts';

const MOST_LINES = 300;

describe('the files', () => {
  const sources = ['functions', 'shared', 'cli', 'infra/local', 'infra/restore'].flatMap(sourcesIn);

  it('are each about one thing: none is an index or a box of utilities', () => {
    const boxes = /^(?:index|utils?|helpers?|common|misc)\./;
    assert.deepEqual(
      sources.map(({ path }) => path).filter((path) => boxes.test(basename(path))),
      [],
    );
  });

  it('have names in kebab-case', () => {
    const kebab = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.d)?\.m?[tj]s$/;
    assert.deepEqual(
      sources.map(({ path }) => path).filter((path) => !kebab.test(basename(path))),
      [],
    );
  });

  it(`can be read at one sitting: none has more than ${MOST_LINES} lines`, () => {
    const lines = (text: string) => text.trimEnd().split('\n').length;
    assert.deepEqual(
      sources
        .filter(({ text }) => lines(text) > MOST_LINES)
        .map(({ path, text }) => `${path}: ${lines(text)}`),
      [],
    );
  });
});

describe('the version', () => {
  it('is the same in the program and in package.json', () => {
    assert.equal(VERSION, JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version);
  });
});
