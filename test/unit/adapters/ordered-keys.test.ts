import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OrderedKeys } from '../../../shared/adapters/memory/ordered-keys.ts';

const key = fc.string({ maxLength: 3, unit: fc.constantFrom('a', 'b', '|', '}', 'é', '\u{1f341}') });
const keys = fc.uniqueArray(key, { maxLength: 150 });

test('a range of ordered keys is what filtering and sorting all of them gives, after any additions and removals', () => {
  fc.assert(
    fc.property(
      keys,
      keys,
      fc.infiniteStream(fc.boolean()),
      key,
      key,
      (first, second, coins, from, before) => {
        const ordered = new OrderedKeys();
        const known = new Set<string>();
        for (const batch of [first, second]) {
          for (const one of batch) {
            if (known.has(one)) continue;
            known.add(one);
            ordered.add(one);
          }
          for (const one of [...known]) {
            if (coins.next().value) continue;
            known.delete(one);
            ordered.remove(one);
          }
          const expected = [...known].filter((one) => one >= from && one < before).sort();
          assert.deepEqual([...ordered.between(from, before)], expected);
        }
      },
    ),
  );
});
