import { toBase64 } from './encoding.ts';
import { Secret } from './secret.ts';

/** What the cloud agent's clients read before their first login. */
export interface LoginFileFacts {
  readonly name: string;
  readonly token: Secret<string>;
  readonly bundlePem: string;
  readonly clientType: string;
  readonly cloudFqdn: string;
  readonly cloudPort: number;
  readonly cloudAuthPort: number;
  readonly cloudLocation: string;
}

/** Texts that YAML 1.1 or 1.2 readers could take for something else than a text. */
const AMBIGUOUS = /^(?:null|true|false|yes|no|on|off|y|n)$/i;
const PLAIN = /^[A-Za-z][A-Za-z0-9_.+/=-]*$/;

/**
 * A login file as the cloud agent's clients write and read it: flat YAML with lower-case keys. A text that could be
 * taken for something else is quoted (a JSON string is a YAML double-quoted scalar, YAML 1.2, 7.3.1).
 */
export function loginFileYaml(facts: LoginFileFacts): Secret<string> {
  const lines: [string, string | number][] = [
    ['name', facts.name],
    ['token', facts.token.reveal()],
    ['certificate', toBase64(facts.bundlePem)],
    ['clienttype', facts.clientType],
    ['cloudfqdn', facts.cloudFqdn],
    ['cloudport', facts.cloudPort],
    ['cloudauthport', facts.cloudAuthPort],
    ['location', facts.cloudLocation],
  ];
  return new Secret(lines.map(([key, value]) => `${key}: ${scalar(value)}\n`).join(''));
}

function scalar(value: string | number): string {
  const isPlain = typeof value === 'number' || (PLAIN.test(value) && !AMBIGUOUS.test(value));
  return isPlain ? String(value) : JSON.stringify(value);
}
