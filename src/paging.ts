/** The pages of vendors, each of which pages in its own way. */

/** One page to ask for: the rows [start, start + size) of the listing. */
export interface Page {
  readonly start: number;
  readonly size: number;
}

export interface PageOf<Row> {
  /** Null for a row that cannot be used: it has its place in the listing, and is left out. */
  readonly rows: readonly (Row | null)[];
  /** Rows in the whole listing; null where the vendor does not say. */
  readonly total: number | null;
  /** The size of the page in the vendor's words, where they say it. */
  readonly size?: number | null;
}

/** The same page in other terms; null for a row that cannot be used. */
export const mapRows = <From, To>(page: PageOf<From>, map: (row: From) => To | null): PageOf<To> => ({
  ...page,
  rows: page.rows.map((row) => (row === null ? null : map(row))),
});

/** How a vendor pages. */
export interface Paging {
  readonly kind: 'offset' | 'number';
  readonly maxSize: number;
}

/** A vendor that takes any offset and at most `maxSize` rows. */
export const byOffset = (maxSize: number): Paging => ({ kind: 'offset', maxSize });

/** A vendor that counts pages of a size to choose, 1 to `maxSize`: page p of size s holds the rows [(p - 1) s, p s). */
export const byNumber = (maxSize: number): Paging => ({ kind: 'number', maxSize });

/**
 * The page that holds row `next` and reaches farthest, which gives the best cover of an interval; where `end` is in reach, the smallest
 * page that reaches it.
 */
export const pageAt = ({ kind, maxSize }: Paging, next: number, end: number): Page => {
  if (kind === 'offset') return { start: next, size: Math.min(maxSize, end - next) };
  let best: Page = { start: next, size: 1 };
  for (let size = 1; size <= maxSize; size++) {
    const start = Math.floor(next / size) * size;
    if (start + size > best.start + best.size) best = { start, size };
    if (start + size >= end) break;
  }
  return best;
};

/** The fewest pages that hold the rows [from, end). */
export const pagesBetween = (paging: Paging, from: number, end: number): Page[] => {
  const pages: Page[] = [];
  for (let next = from; next < end; ) {
    const page = pageAt(paging, next, end);
    pages.push(page);
    next = page.start + page.size;
  }
  return pages;
};
