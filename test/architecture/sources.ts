import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Import {
  /** A file of the project as a path from its root, or the name of a package or Node module, without its subpath. */
  readonly target: string;
  readonly isFile: boolean;
  /** True for `import type` and `export type`: nothing is loaded. `import { type X }` does load its module. */
  readonly isTypeOnly: boolean;
}

export interface Source {
  /** From the project's root, with forward slashes. */
  readonly path: string;
  /** As it stands in the file. */
  readonly text: string;
  /** Without comments. */
  readonly code: string;
  readonly imports: readonly Import[];
}

/** What an `import(...)` of something that is no literal counts as: no rule allows it. */
export const COMPUTED = '(computed)';

const SOURCE_FILE = /\.m?ts$|\.mjs$/;

/** Every source file below a folder of the project. */
export function sourcesIn(folder: string): Source[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && SOURCE_FILE.test(entry.name))
    .map((entry) => readSource(relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/')))
    .sort((a, b) => a.path.localeCompare(b.path));
}

function readSource(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const code = withoutComments(text);
  return { path, text, code, imports: importsOf(code, path) };
}

/** Strings are matched only to be left alone: `//` stands in every URL. */
const STRING_OR_COMMENT =
  /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

export function withoutComments(text: string): string {
  return text.replace(STRING_OR_COMMENT, (found) => (found.startsWith('/') ? ' ' : found));
}

const STATEMENT =
  /(?:^|[;}\n])\s*(?:import|export)\s+(type\s)?(?:[\w$*{},\s]+?\sfrom\s*)?(['"])([^'"\n]+)\2/g;
const CALL = /\b(?:import|require)\s*\(\s*(?:(['"`])([^'"`$\n]+)\1\s*[,)])?/g;

/** Everything that a file loads or takes types from. `code` has no comments. */
export function importsOf(code: string, path: string): Import[] {
  const statements = [...code.matchAll(STATEMENT)].map(([, type, , specifier = '']) =>
    toImport(specifier, type !== undefined, path),
  );
  const calls = [...code.matchAll(CALL)].map(([, , specifier]) =>
    specifier === undefined
      ? { target: COMPUTED, isFile: false, isTypeOnly: false }
      : toImport(specifier, false, path),
  );
  return [...statements, ...calls];
}

function toImport(specifier: string, isTypeOnly: boolean, path: string): Import {
  if (specifier.startsWith('.')) {
    return { target: posix.join(dirname(path), specifier), isFile: true, isTypeOnly };
  }
  const parts = specifier.split('/');
  const isWhole = specifier.startsWith('node:');
  const target = isWhole ? specifier : parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
  return { target, isFile: false, isTypeOnly };
}

/** `path: what`, for a list of offenders that a failed test prints. */
export function offence({ path }: Source, { target, isTypeOnly }: Import): string {
  return `${path} imports ${isTypeOnly ? 'a type of ' : ''}${target}`;
}
