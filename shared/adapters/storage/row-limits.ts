import { EverleafError } from '../../domain/errors.ts';
import type { RowOperation } from './table.ts';

/**
 * What Table storage takes: keys of 1 KiB, strings of 64 KiB, both in UTF-16, and no key with one of these characters
 * (Microsoft Learn, "Understanding the Table service data model").
 */
const MOST_KEY_CHARACTERS = 512;
const MOST_DATA_CHARACTERS = 32 * 1024;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is about
const NOT_IN_KEYS = /[/\\#?\u0000-\u001f\u007f-\u009f]/;

/** Whether a row can have this key at all. What comes in a path or a query may be anything. */
export function isRowKey(key: string): boolean {
  return key.length <= MOST_KEY_CHARACTERS && !NOT_IN_KEYS.test(key);
}

/** @throws EverleafError StorageRefused for what no row can hold: it is refused here as the service would refuse it */
export function assertStorable(operations: readonly RowOperation[]): void {
  for (const operation of operations) {
    if (!isRowKey(operation.key)) {
      throw new EverleafError('StorageRefused', 'Cannot write: a row key has characters that none can have.');
    }
    if (operation.op !== 'remove' && operation.data.length > MOST_DATA_CHARACTERS) {
      throw new EverleafError(
        'StorageRefused',
        `Cannot write: a row holds ${MOST_DATA_CHARACTERS} characters at most, and this one has ${operation.data.length}.`,
      );
    }
  }
}
