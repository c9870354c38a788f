/** A list, page by page. */
import { UnexpectedAnswer } from './errors.js';

interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

/** A cursor that leads nowhere ends with an error, not never. */
const MAX_PAGES = 100_000;

/** @throws UnexpectedAnswer where the list has no end */
export async function* pagesOf<Item, P extends Page<Item>>(
  read: (cursor: string | undefined) => Promise<P>,
): AsyncGenerator<P, void, void> {
  let cursor: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const page = await read(cursor);
    yield page;
    const { nextCursor } = page;
    if (nextCursor === null) return;
    if (nextCursor === cursor) break;
    cursor = nextCursor;
  }
  throw new UnexpectedAnswer('The list of the gateway has no end: its cursors lead to no last page.', 200);
}

export async function* itemsOf<Item>(pages: AsyncIterable<Page<Item>>): AsyncGenerator<Item, void, void> {
  for await (const { items } of pages) yield* items;
}
