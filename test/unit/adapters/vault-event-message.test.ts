import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readVaultEvent } from '../../../shared/adapters/storage/vault-event-message.ts';
import { HINT_KINDS } from '../../../shared/domain/vault-hint.ts';
import { cloudEvent, eventGridEvent } from '../../support/vault-events.ts';

const VERSION = 'ee059b2bb5bc48398a53b168c6cdcb10';
const ID = `https://sample-kv.vault.azure.net/certificates/client--management--kms/${VERSION}`;
const TYPE = 'Microsoft.KeyVault.CertificateNearExpiry';
const HINT = {
  kind: 'near-expiry',
  vaultOrigin: 'https://sample-kv.vault.azure.net',
  name: 'client--management--kms',
  version: VERSION,
};

const idOf = (message: Record<string, unknown>, Id: unknown) => ({ ...message, data: { Id } });

function assertUnreadable(message: unknown): void {
  const read = readVaultEvent(message);
  assert.ok('unreadable' in read, JSON.stringify(message));
  assert.match(read.unreadable, /^it(?:s| is) /);
}

describe('a message of the vaults’ events', () => {
  it('is read in CloudEvents 1.0 and in Event Grid’s own schema', () => {
    for (const schema of [cloudEvent, eventGridEvent])
      assert.deepEqual(readVaultEvent(schema(TYPE, ID)), HINT);
  });

  it('is read as the host hands it over, as text, and in Base64', () => {
    const text = JSON.stringify(cloudEvent(TYPE, ID));
    assert.deepEqual(readVaultEvent(text), HINT);
    assert.deepEqual(readVaultEvent(`\n ${text}`), HINT);
    assert.deepEqual(readVaultEvent(Buffer.from(text).toString('base64')), HINT);
  });

  it('is read for each of the six types, and for no other', () => {
    const kinds = ['NewVersionCreated', 'NearExpiry', 'Expired'].flatMap((name) =>
      ['Certificate', 'Secret'].map((object) =>
        readVaultEvent(cloudEvent(`Microsoft.KeyVault.${object}${name}`, ID)),
      ),
    );
    assert.deepEqual(
      kinds.map((read) => ('kind' in read ? read.kind : null)),
      HINT_KINDS.flatMap((kind) => [kind, kind]),
    );
    const others = [
      'KeyNewVersionCreated',
      'VaultAccessPolicyChanged',
      'certificatenearexpiry',
      'constructor',
      '',
    ];
    for (const other of others) assertUnreadable(cloudEvent(`Microsoft.KeyVault.${other}`, ID));
  });

  it('may name its vault, its object and the version in any case, with spaces around it', () => {
    const loud = ID.replace('sample-kv', 'Sample-KV').replace('client', 'Client').replace('ee0', 'EE0');
    assert.deepEqual(readVaultEvent(cloudEvent(TYPE, ` ${loud} `)), HINT);
    const local = readVaultEvent(cloudEvent(TYPE, 'http://127.0.0.1:4711/secrets/token--a--b/0f'));
    assert.deepEqual(local, {
      ...HINT,
      vaultOrigin: 'http://127.0.0.1:4711',
      name: 'token--a--b',
      version: '0f',
    });
  });

  it('names one version of an object in a vault, by nothing but its path', () => {
    const wrong = [
      ...[
        '',
        'x',
        '/certificates/a/b',
        'https://v.test',
        'https://v.test/certificates/a',
        'https://v.test/certificates/a/',
      ],
      ...[
        'https://v.test/certificates/a/b/c',
        'https://v.test/certificates/a.b/c',
        'https://v.test/storage/a/b',
      ],
      ...[
        'https://v.test//certificates/a/b',
        'https://v.test/certificates/a%2fb/c',
        'https://v.test/deletedsecrets/a/b',
      ],
      ...[
        `${ID}?a=b`,
        `${ID}#a`,
        ID.replace('://', '://me@'),
        `https://v.test/certificates/${'a'.repeat(128)}/b`,
      ],
      `https://v.test/certificates/a/b${' '.repeat(512)}`,
    ];
    for (const id of wrong) assertUnreadable(cloudEvent(TYPE, id));
    for (const id of [null, 7, {}, [ID]]) assertUnreadable(idOf(cloudEvent(TYPE, ID), id));
  });

  it('is dropped without a look into it when it is long', () => {
    const message = JSON.stringify({ ...cloudEvent(TYPE, ID), more: 'a'.repeat(8_192) });
    assert.deepEqual(readVaultEvent(message), { unreadable: 'it is too long' });
    assert.deepEqual(readVaultEvent('['.repeat(65_536)), { unreadable: 'it is too long' });
    assert.deepEqual(readVaultEvent('{"a":'.repeat(1_500)), { unreadable: 'it is no JSON' });
  });

  it('never makes the reader throw, nor name a vault that no URL leads to, whatever it holds', () => {
    const check = (message: unknown) => {
      const read = readVaultEvent(message);
      if ('unreadable' in read) return;
      assert.equal(new URL(read.vaultOrigin).origin, read.vaultOrigin);
      assert.match(read.name, /^[0-9a-z-]{1,127}$/);
      assert.match(read.version, /^[0-9a-z]{1,64}$/);
    };
    const odd = fc.oneof(fc.anything(), fc.json(), fc.base64String(), fc.string());
    fc.assert(fc.property(odd, check), { numRuns: 200 });
    // Near to the real thing, one part of it odd at a time.
    const near = fc.record({
      schema: fc.constantFrom(cloudEvent, eventGridEvent),
      member: fc.constantFrom('specversion', 'type', 'eventType', 'data', 'source', '__proto__'),
      value: fc.oneof(fc.anything(), fc.record({ Id: fc.oneof(fc.webUrl(), fc.string(), fc.anything()) })),
      isText: fc.boolean(),
    });
    fc.assert(
      fc.property(near, ({ schema, member, value, isText }) => {
        const message = { ...schema(TYPE, ID), [member]: value };
        check(
          isText
            ? JSON.stringify(message, (_, one) => (typeof one === 'bigint' ? String(one) : one))
            : message,
        );
      }),
      { numRuns: 200 },
    );
  });
});
