import { badParameter } from './errors.ts';
import type { RouteContext, VaultResponse } from './request.ts';

/** The service's page size; `maxresults` may ask for fewer. */
const PAGE_SIZE = 25;

/**
 * One page of a list, and the absolute `nextLink` that the SDKs follow until it is null.
 * @param entries sorted by `key`; the link remembers the last key given, so that objects that come or go between two
 * pages neither repeat others nor hide them.
 */
export function page<Entry>(
  context: RouteContext,
  entries: readonly Entry[],
  keyOf: (entry: Entry) => string,
  show: (entry: Entry) => unknown,
): VaultResponse {
  const size = pageSize(context.query.get('maxresults'));
  const token = context.query.get('$skiptoken');
  const last = token === null ? null : Buffer.from(token, 'base64url').toString('utf8');
  const remaining = last === null ? entries : entries.filter((entry) => keyOf(entry) > last);
  const shown = remaining.slice(0, size);
  const final = shown.at(-1);
  const hasMore = final !== undefined && remaining.length > shown.length;
  return {
    status: 200,
    body: { value: shown.map(show), nextLink: hasMore ? nextLink(context, keyOf(final)) : null },
  };
}

/** One page of an object's versions, oldest first; versions are never removed, so their places are lasting keys. */
export function pageOfVersions<Version>(
  context: RouteContext,
  versions: readonly Version[],
  show: (version: Version) => unknown,
): VaultResponse {
  return page(
    context,
    versions.map((version, index) => ({ version, key: String(index).padStart(9, '0') })),
    ({ key }) => key,
    ({ version }) => show(version),
  );
}

function pageSize(maxresults: string | null): number {
  if (maxresults === null) return PAGE_SIZE;
  const size = Number(maxresults);
  if (!Number.isInteger(size) || size < 1 || size > PAGE_SIZE) {
    throw badParameter(`The maxresults parameter is invalid: it must be between 1 and ${PAGE_SIZE}.`);
  }
  return size;
}

function nextLink(context: RouteContext, lastKey: string): string {
  const query = new URLSearchParams(context.query);
  query.set('$skiptoken', Buffer.from(lastKey, 'utf8').toString('base64url'));
  return `${context.vault.url}/${context.segments.join('/')}?${query}`;
}
