import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { parse } from 'yaml';
import { type LoginFileFacts, loginFileYaml } from '../../../shared/domain/login-file.ts';
import { Secret } from '../../../shared/domain/secret.ts';

const BUNDLE = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';

const FACTS: LoginFileFacts = {
  name: 'KMS',
  token: new Secret('elt1_AAAA-_09'),
  bundlePem: BUNDLE,
  clientType: 'ExternalClient',
  cloudFqdn: 'cloud.everleaf.example',
  cloudPort: 55_000,
  cloudAuthPort: 65_000,
  cloudLocation: 'MocLocation',
};

/** Agents read the file with YAML 1.1 readers as well as with 1.2 ones. */
const VERSIONS = ['1.1', '1.2'] as const;

/** Texts that a YAML reader takes for something else when they stand unquoted. */
const TREACHEROUS = [
  ...['null', 'Null', 'NULL', '~', '', 'true', 'True', 'FALSE', 'yes', 'No', 'ON', 'off', 'y', 'N'],
  ...[
    '0x1',
    '0o17',
    '017',
    '1e3',
    '1.5',
    '12',
    '-1',
    '+1',
    '1_000',
    '190:20:30',
    '0b1',
    '.inf',
    '-.INF',
    '.nan',
  ],
  ...['2026-11-21', '2026-11-21T00:00:00Z', '<<', '=', '-', '---', '...', '? a', '- a', 'a: b', 'a #b', '#'],
  ...[
    '&a',
    '*a',
    '!a',
    '|',
    '>',
    '%a',
    '@a',
    '`a',
    '[a',
    '{a',
    "'a",
    '"a',
    ' a',
    'a ',
    'a\nb',
    'a\tb',
    'a\\b',
    'é',
  ],
];

describe('a login file', () => {
  const yaml = loginFileYaml(FACTS);

  it('is the flat file that the cloud agent’s clients read', () => {
    assert.equal(
      yaml.reveal(),
      [
        'name: KMS',
        'token: elt1_AAAA-_09',
        `certificate: ${Buffer.from(BUNDLE).toString('base64')}`,
        'clienttype: ExternalClient',
        'cloudfqdn: cloud.everleaf.example',
        'cloudport: 55000',
        'cloudauthport: 65000',
        'location: MocLocation',
        '',
      ].join('\n'),
    );
  });

  it('is read back by a YAML reader with every value and type it was made of', () => {
    for (const version of VERSIONS) {
      assert.deepEqual(parse(yaml.reveal(), { version }), {
        name: 'KMS',
        token: 'elt1_AAAA-_09',
        certificate: Buffer.from(BUNDLE).toString('base64'),
        clienttype: 'ExternalClient',
        cloudfqdn: 'cloud.everleaf.example',
        cloudport: 55_000,
        cloudauthport: 65_000,
        location: 'MocLocation',
      });
    }
  });

  it('keeps a name that looks like something else a text', () => {
    for (const version of VERSIONS) {
      for (const text of TREACHEROUS) {
        const read = parse(loginFileYaml({ ...FACTS, name: text, cloudLocation: text }).reveal(), {
          version,
        });
        assert.strictEqual(read.name, text, `name in YAML ${version}`);
        assert.strictEqual(read.location, text, `location in YAML ${version}`);
      }
    }
  });

  it('carries any text through, and lets none of it become another line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.constantFrom(...VERSIONS), (text, version) => {
        const file = loginFileYaml({ ...FACTS, cloudLocation: text, cloudFqdn: text }).reveal();
        const read = parse(file, { version });
        assert.deepEqual(Object.keys(read), Object.keys(parse(yaml.reveal())));
        assert.deepEqual([read.location, read.cloudfqdn], [text, text]);
      }),
    );
  });

  it('is a secret, because it holds a token', () => {
    assert.equal(inspect(yaml), '[secret]');
  });
});
