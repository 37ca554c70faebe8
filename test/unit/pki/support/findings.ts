import assert from 'node:assert/strict';
import { EverleafError } from '../../../../shared/domain/errors.ts';

/** What a lint found, one finding an entry; nothing when it passed. */
export function findingsOf(lint: () => void): string[] {
  try {
    lint();
  } catch (error) {
    assert.ok(error instanceof EverleafError && error.code === 'LintFailed', String(error));
    const list = String(error.details['findings']).split('\n');
    assert.equal(error.details['count'], list.length);
    for (const finding of list) assert.ok(error.message.includes(finding));
    return list;
  }
  return [];
}

/** Asserts that there is exactly one finding and what it says. */
export function onlyFinding(list: readonly string[], pattern: RegExp): void {
  assert.equal(list.length, 1, list.join('\n'));
  assert.match(list[0] ?? '', pattern);
}
