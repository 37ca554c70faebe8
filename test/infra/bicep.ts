import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const INFRA = fileURLToPath(new URL('../../infra', import.meta.url));

export interface BicepFile {
  /** From infra/, with forward slashes. */
  readonly path: string;
  /** Without comments. */
  readonly text: string;
}

export interface Resource {
  readonly file: string;
  readonly symbol: string;
  /** In lower case, as ARM compares them. */
  readonly type: string;
  readonly version: string;
  readonly isExisting: boolean;
  /** From its first brace to its last, loops and conditions included. */
  readonly body: string;
}

/** A string, or a comment. Strings are matched only to be left alone: `//` stands in every URL. */
const STRING_OR_COMMENT = /'''[\s\S]*?'''|'(?:\\.|[^'\\\n])*'|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

/** The templates and parameter files, or one of them. Enough of a reading for rules; `az bicep build` knows the language. */
export function bicepFiles(): BicepFile[] {
  return readdirSync(INFRA, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.bicep(?:param)?$/.test(name))
    .map((name) => name.replaceAll('\\', '/'))
    .sort()
    .map((path) => ({ path, text: withoutComments(readFileSync(join(INFRA, path), 'utf8')) }));
}

export function bicepFile(path: string): BicepFile {
  const found = bicepFiles().find((file) => file.path === path);
  if (found === undefined) throw new Error(`There is no infra/${path}`);
  return found;
}

export function withoutComments(text: string): string {
  return text.replace(STRING_OR_COMMENT, (found) => (found.startsWith('/') ? '' : found));
}

/** From the opening brace at or after a position to its closing one. Braces in strings come in pairs: they are `${}`. */
export function blockAt(text: string, position: number): string {
  const begin = text.indexOf('{', position);
  let depth = 0;
  for (let at = begin; at >= 0 && at < text.length; at += 1) {
    if (text[at] === '{') depth += 1;
    if (text[at] === '}') depth -= 1;
    if (depth === 0) return text.slice(begin, at + 1);
  }
  throw new Error(`No block begins at ${position}: ${text.slice(position, position + 80)}`);
}

const DECLARATION = /^( *)resource (\w+) '([^'@\n]+)(?:@([^'\n]+))?'( existing)? = /gm;

/** Every resource, those within others by their full type. */
export function resources(files: readonly BicepFile[] = bicepFiles()): Resource[] {
  return files.flatMap(({ path, text }) => {
    const parents: { indent: number; type: string; version: string }[] = [];
    return [...text.matchAll(DECLARATION)].map(
      ({ index, 0: head, 1: space = '', 2: symbol = '', 3: own = '', 4: version, 5: existing }) => {
        while ((parents.at(-1)?.indent ?? -1) >= space.length) parents.pop();
        const parent = parents.at(-1);
        const type = parent === undefined ? own : `${parent.type}/${own}`;
        const read = { type, version: version ?? parent?.version ?? '' };
        parents.push({ indent: space.length, ...read });
        return {
          file: path,
          symbol,
          type: type.toLowerCase(),
          version: read.version,
          isExisting: existing !== undefined,
          body: blockAt(text, index + head.length),
        };
      },
    );
  });
}

/** The resources of a type that the templates make. */
export function made(type: string): Resource[] {
  return resources().filter((one) => one.type === type.toLowerCase() && !one.isExisting);
}

/** The block of a `var`, `type`, `param` or `resource` by its name. */
export function declared(file: BicepFile, kind: 'var' | 'type' | 'resource', name: string): string {
  const at = file.text.search(new RegExp(`^${kind} ${name}\\b`, 'm'));
  if (at < 0) throw new Error(`infra/${file.path} has no ${kind} ${name}`);
  return blockAt(file.text, at);
}

/** The properties of a block, one a line, at its own depth alone. */
export function properties(block: string): Map<string, string> {
  const found = new Map<string, string>();
  let depth = 0;
  for (const line of block.split('\n')) {
    const [, name, value = ''] = /^\s*'?([\w-]+)'?: (.*)$/.exec(line) ?? [];
    if (depth === 1 && name !== undefined) found.set(name, value.trim());
    depth += (line.match(/\{/g) ?? []).length - (line.match(/\}/g) ?? []).length;
  }
  return found;
}
