import type { Page } from '../ports/identity-store.ts';

/** Rows that are read, and held in memory, at once. */
const PAGE = 500;

/** Reads a part of a list: `cursor` is where the page before it ended; without it, the beginning. */
export type ReadPage<T> = (position: { cursor?: string; limit: number }) => Promise<Page<T>>;

/** Walks a list page by page; the next page is read when the one before it is done with. */
export async function* pagesOf<T>(read: ReadPage<T>): AsyncGenerator<readonly T[]> {
  let cursor: string | null = null;
  do {
    const page: Page<T> = await read({ limit: PAGE, ...(cursor === null ? {} : { cursor }) });
    yield page.items;
    cursor = page.nextCursor;
  } while (cursor !== null);
}
