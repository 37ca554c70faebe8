import { createHash } from 'node:crypto';

/** What the agent takes from a login file; the rest of it is left as it is. */
export interface LoginFile {
  readonly name: string;
  readonly token: string;
  /** SHA-256 of the token, hex: what the agent remembers of it. */
  readonly tokenHash: string;
  /** `https://<cloudfqdn>:<cloudport>`; null when the file names no host. */
  readonly server: string | null;
  readonly text: string;
}

/** A login file that cannot be used. The message says why, and holds nothing of the file's contents but keys. */
export class LoginFileError extends Error {}

/** A plain scalar (YAML 1.2, 7.3.3): it begins with no indicator, and holds nothing that would make it a key. */
const PLAIN = /^(?:[^\s\-?:,[\]{}#&*!|>'"%@`]|[-?:](?=\S))(?:[^:]|:(?=\S))*$/;
const LINE = /^([a-z]+):(?:[ \t]+(.*))?$/;

/**
 * Reads a login file as the cloud agent and Everleaf write it: flat YAML with lower-case keys and a scalar in each line.
 * @throws LoginFileError for anything else
 */
export function parseLoginFile(text: string): LoginFile {
  const values = new Map<string, string>();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(?:#.*)?$/.test(line) || line === '---') continue;
    const [, key, rest = ''] = LINE.exec(line) ?? [];
    const value = key === undefined ? null : scalar(rest.trim());
    if (key === undefined || value === null || values.has(key)) {
      throw new LoginFileError(`Line ${i + 1} is not "key: value" of flat YAML, or its key stands twice.`);
    }
    values.set(key, value);
  }
  const name = values.get('name') ?? '';
  const token = values.get('token') ?? '';
  if (name === '') throw new LoginFileError('It has no "name".');
  if (!/^[\x21-\x7e]+$/.test(token)) throw new LoginFileError('It has no "token", or one that is no token.');
  const host = values.get('cloudfqdn') ?? '';
  return {
    name,
    token,
    tokenHash: hashOfToken(token),
    server: host === '' ? null : `https://${host}:${values.get('cloudport') ?? 443}`,
    text,
  };
}

/** The same file with another token; every other byte stays. */
export function withToken(text: string, token: string): string {
  return text.replace(
    /^token:[^\r\n]*/m,
    () => `token: ${/^[A-Za-z][\w.-]*$/.test(token) ? token : JSON.stringify(token)}`,
  );
}

export function hashOfToken(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex');
}

/** A scalar of one line (YAML 1.2, 7.3); null for what needs more of YAML than this. */
function scalar(text: string): string | null {
  const single = /^'((?:[^']|'')*)'(?:\s+#.*)?$/.exec(text);
  if (single !== null) return (single[1] ?? '').replaceAll("''", "'");
  const double = /^("(?:[^"\\]|\\.)*")(?:\s+#.*)?$/.exec(text);
  if (double !== null) return parsed(double[1] ?? '');
  const plain = text.replace(/(?:^|\s+)#.*$/, '');
  return plain === '' || PLAIN.test(plain) ? plain : null;
}

/** JSON's escapes are YAML's; the few that only YAML has are not used in login files. */
function parsed(json: string): string | null {
  try {
    return JSON.parse(json) as string;
  } catch {
    return null;
  }
}
