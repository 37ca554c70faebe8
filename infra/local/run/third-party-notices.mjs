/** The licences of the libraries inside the package: nearly all of them ask to go along with every copy. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Refusal } from './refusal.mjs';

/** The last node_modules of a path, and the name of what is in it: packages have packages of their own. */
const PACKAGE = /^((?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+)\//;
const LICENCE_FILE = /^(?:licen[cs]e|copying|notice|third-?party-?notices?)(?:[.-].*)?$/i;
const RULE = '='.repeat(80);

/**
 * @param inputs the files that are part of the package, by their paths from the checkout
 * @returns name, version, licence and licence texts of every package that they belong to
 * @throws Refusal for a package that does not say under which licence it is
 */
export function thirdPartyNotices(checkout, inputs) {
  const folders = new Set(inputs.map((path) => PACKAGE.exec(path)?.[1]).filter((path) => path !== undefined));
  const notices = [...folders].sort().map((folder) => noticeOf(join(checkout, folder)));
  const head = 'Everleaf contains the following packages, each under its own licence.\n';
  // The same version can stand in two places.
  return [head, ...new Set(notices)].join(`\n${RULE}\n`);
}

function noticeOf(folder) {
  const { name, version, license, author } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const texts = readdirSync(folder)
    .filter((file) => LICENCE_FILE.test(file))
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim());
  if (license === undefined && texts.length === 0) {
    throw new Refusal(
      `${name} ${version} names no licence, so that it cannot be given away inside the package.`,
    );
  }
  const by = typeof author === 'string' ? author : author?.name;
  const title = `${name} ${version}, ${license ?? 'licence below'}`;
  return `${[title, ...(texts.length > 0 || by === undefined ? [] : [`by ${by}`]), ...texts].join('\n\n')}\n`;
}
