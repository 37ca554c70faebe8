import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RECORD_SHARDS, shardOf } from '../../../shared/domain/sharding.ts';

describe('the partition of a cluster', () => {
  it('comes from FNV-1a with 32 bits, as its specification computes it', () => {
    // Test vectors of RFC 9923 (the FNV hash), seen whole by asking for 2^32 partitions.
    assert.equal(shardOf('', 2 ** 32), 0x811c9dc5);
    assert.equal(shardOf('a', 2 ** 32), 0xe40c292c);
    assert.equal(shardOf('foobar', 2 ** 32), 0xbf9cf968);
  });

  it('never changes for a cluster that has rows already', () => {
    // A change here would lose every row of a running deployment: these numbers are data, not expectations.
    const shards = ['management', 'west', 'west-2', 'a', '0'].map((name) => shardOf(name, RECORD_SHARDS));
    assert.deepEqual(shards, [22, 14, 17, 12, 15]);
    assert.equal(RECORD_SHARDS, 32);
  });

  it('is a whole number below the count of partitions', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 256 }), (name, count) => {
        const shard = shardOf(name, count);
        assert.ok(Number.isInteger(shard) && shard >= 0 && shard < count);
      }),
    );
  });

  it('spreads clusters with similar names evenly', () => {
    const counts = new Array<number>(RECORD_SHARDS).fill(0);
    for (let i = 0; i < 100 * RECORD_SHARDS; i++) {
      const shard = shardOf(`cluster-${i}`, RECORD_SHARDS);
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    assert.ok(Math.min(...counts) > 50, `emptiest: ${Math.min(...counts)} of 100 on average`);
    assert.ok(Math.max(...counts) < 150, `fullest: ${Math.max(...counts)} of 100 on average`);
  });
});
