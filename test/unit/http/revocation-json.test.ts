import assert from 'node:assert/strict';
import { test } from 'node:test';
import { revokeBody } from '../../../shared/http/revocation-json.ts';

const serialOf = (serialNumber: string) => revokeBody.parse({ serialNumber }).serialNumber;

test('a serial number is read as the record writes it, with the sign octet that other tools show or without', () => {
  const written = '9f'.repeat(16);
  assert.equal(serialOf(written), written);
  assert.equal(serialOf(`00${written.toUpperCase()}`), written);
  assert.equal(serialOf(`00${'9f'.repeat(20)}`), '9f'.repeat(20));
  assert.equal(serialOf('00'), '00');
  for (const bad of ['', '9', 'xyz1', '9f'.repeat(22)]) assert.throws(() => serialOf(bad), bad);
});
