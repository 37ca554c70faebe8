import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addressOf, networkOf } from '../../../shared/domain/source.ts';

describe('the address in a hop', () => {
  for (const [hop, address] of [
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.1:50000', '192.0.2.1'],
    [' 192.0.2.1:50000 ', '192.0.2.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['[2001:db8::1]:50000', '2001:db8:0:0:0:0:0:1'],
    ['[2001:db8::1]', '2001:db8:0:0:0:0:0:1'],
    ['2001:DB8:0000::1', '2001:db8:0:0:0:0:0:1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2:3:4:5:6'],
    ['::1', '0:0:0:0:0:0:0:1'],
    ['::', '0:0:0:0:0:0:0:0'],
    ['2001:db8::', '2001:db8:0:0:0:0:0:0'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['[::ffff:192.0.2.1]:50000', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0:0:0:c000:201'],
  ] as const) {
    it(`is ${address} for "${hop}"`, () => assert.equal(addressOf(hop), address));
  }

  for (const hop of [
    '',
    'unknown',
    '_hidden',
    'host.example:443',
    '192.0.2',
    '192.0.2.256',
    '192.0.2.01',
    '192.0.2.1:',
    '192.0.2.1:123456',
    '[192.0.2.1]:80',
    '1::2::3',
    ':1::2',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '12345::1',
    'fe80::1%eth0',
    '[2001:db8::1',
    '2001:db8::192.0.2.1:80',
    `${'0'.repeat(80)}::1`,
  ]) {
    it(`is none for "${hop.slice(0, 30)}"`, () => assert.equal(addressOf(hop), null));
  }
});

describe('the network that a limit is counted by', () => {
  it('is an IPv4 address itself', () => {
    assert.equal(networkOf('192.0.2.1'), '192.0.2.1');
  });

  it('is the /64 of an IPv6 address, whose lower half the caller can choose', () => {
    const networks = ['2001:db8:0:1::1', '2001:db8:0:1:ffff::2', '[2001:db8::1:0:0:0:3]:443'].map((hop) =>
      networkOf(addressOf(hop) ?? ''),
    );
    assert.deepEqual(new Set(networks), new Set(['2001:db8:0:1::/64']));
    assert.notEqual(networkOf(addressOf('2001:db8:0:2::1') ?? ''), networks[0]);
  });
});
