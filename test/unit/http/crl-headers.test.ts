import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PublishedCrl } from '../../../shared/domain/crl.ts';
import { addMs, HOUR_MS } from '../../../shared/domain/instants.ts';
import { crlHeaders } from '../../../shared/http/crl-headers.ts';

const NOW = new Date('2026-11-21T08:00:00Z');

const headersWith = (hoursLeft: number) => {
  const list: PublishedCrl = {
    ...{ number: 1, thisUpdate: NOW, nextUpdate: addMs(NOW, hoursLeft * HOUR_MS), entries: 0 },
    ...{ sha256: 'abcd', size: 0, contentHash: '', crossSerialNumbers: [] },
  };
  return crlHeaders(list, NOW);
};

test('a list is cached for an hour at most, and not at all in the last hour of its life', () => {
  assert.deepEqual(headersWith(72), {
    etag: '"abcd"',
    'last-modified': 'Sat, 21 Nov 2026 08:00:00 GMT',
    'cache-control': 'public, max-age=3600',
    'content-type': 'application/pkix-crl',
  });
  assert.equal(headersWith(1.5)['cache-control'], 'public, max-age=1800');
  for (const hours of [1, 0, -1]) assert.equal(headersWith(hours)['cache-control'], 'no-cache');
});
