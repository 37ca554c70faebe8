import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { LoginFileError, parseLoginFile, withToken } from '../../../cli/agent/login-file.ts';

const FILE = `name: KMS
token: elt1_abc-DEF_123
certificate: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t==
clienttype: ExternalClient
cloudfqdn: cloud.example
cloudport: 55000
cloudauthport: 65000
location: MocLocation
`;

describe('a login file', () => {
  it('names the identity, its token, and where the server is', () => {
    const { name, token, server } = parseLoginFile(FILE);
    assert.deepEqual(
      { name, token, server },
      {
        name: 'KMS',
        token: 'elt1_abc-DEF_123',
        server: 'https://cloud.example:55000',
      },
    );
  });

  it('may have comments, quotes, other keys and Windows’ line ends', () => {
    const text = "---\r\n# mine\r\nname: 'O''Neill' # who\r\ntoken: \"a\\u002db\" # secret\r\ntype:\r\n";
    const { name, token, server } = parseLoginFile(text);
    assert.deepEqual({ name, token, server }, { name: "O'Neill", token: 'a-b', server: null });
  });

  it('is refused, without a word of what is in it, when it is more than flat YAML or lacks something', () => {
    for (const text of [
      '',
      'name: KMS',
      'token: secret-word',
      'name: KMS\ntoken: ""',
      'name: KMS\ntoken: secret word',
      'name: KMS\ntoken: |\n  secret-word',
      'name: KMS\ntoken: &a secret-word',
      'name: KMS\ntoken: "secret-word',
      'name: KMS\nname: KMS\ntoken: secret-word',
      '{"name": "KMS", "token": "secret-word"}',
      'NAME: KMS\ntoken: secret-word',
    ]) {
      assert.throws(
        () => parseLoginFile(text),
        (error) => error instanceof LoginFileError && !/secret/.test(error.message),
        text,
      );
    }
  });

  it('changes in its token alone', () => {
    const changed = withToken(`# top\r\n${FILE}# end`, 'elt1_$&new');
    assert.equal(
      changed,
      `# top\r\n${FILE}# end`.replace('elt1_abc-DEF_123', () => '"elt1_$&new"'),
    );
    assert.equal(parseLoginFile(changed).token, 'elt1_$&new');
    assert.equal(withToken(FILE, 'elt1_x'), FILE.replace('elt1_abc-DEF_123', 'elt1_x'));
  });

  it('is read as a whole YAML reader reads it, whatever its values, or refused', () => {
    const value = fc.oneof(
      fc.stringMatching(/^[ -~]{0,20}$/),
      fc.string().map((text) => JSON.stringify(text)),
      fc.stringMatching(/^[ -~]{0,20}$/).map((text) => `'${text.replaceAll("'", "''")}'`),
    );
    fc.assert(
      fc.property(value, (written) => {
        const text = `name: ${written}\ntoken: a\n`;
        let name: string;
        try {
          ({ name } = parseLoginFile(text));
        } catch {
          return;
        }
        // Plain scalars may be numbers or booleans to YAML; to us every name is a text.
        assert.equal(name, String(parse(text, { schema: 'failsafe' }).name));
      }),
      { numRuns: 500 },
    );
  });
});
