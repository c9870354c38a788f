/** Windows [offset, offset + limit) over vendors that page in their own ways. */
import { badResponse } from './wire.js';

/** One page to ask for: the rows [start, start + size) of the listing. */
export interface Page {
  readonly start: number;
  readonly size: number;
}

export interface PageOf<Row> {
  readonly rows: readonly Row[];
  /** Rows in the whole listing; null where the vendor does not tell. */
  readonly total: number | null;
}

export interface Slice<Row> {
  readonly rows: readonly Row[];
  readonly total: number | null;
}

/** The fewest pages for a vendor that takes any offset and at most `maxSize` rows. */
export const offsetPages = (offset: number, limit: number, maxSize: number): Page[] => {
  const pages: Page[] = [];
  for (let start = offset; start < offset + limit; start += maxSize)
    pages.push({ start, size: Math.min(maxSize, offset + limit - start) });
  return pages;
};

/**
 * The fewest pages for a vendor that counts pages of a size to choose, 1 to `maxSize`: page p of size s holds the rows
 * [(p - 1) s, p s). Each page is the one that holds the next missing row and reaches farthest, which is the best cover of an
 * interval; where the end is in reach, the smallest page that does is taken.
 */
export const numberedPages = (offset: number, limit: number, maxSize: number): Page[] => {
  const end = offset + limit;
  const pages: Page[] = [];
  for (let next = offset; next < end; ) {
    let best: Page = { start: next, size: 1 };
    for (let size = 1; size <= maxSize; size++) {
      const start = Math.floor(next / size) * size;
      if (start + size > best.start + best.size) best = { start, size };
      if (start + size >= end) break;
    }
    pages.push(best);
    next = best.start + best.size;
  }
  return pages;
};

/** Pages asked for at the same time. */
const CONCURRENCY = 4;

/** A list that changes under the reader shifts between pages; one that never rests is taken as it comes. */
export const ATTEMPTS_AT_REST = 3;

/**
 * Reads a window, again while its pages do not agree on the total. The first page tells the total; then only the pages that exist are asked for, a few at a time. Without a total they are
 * read one by one until one is short.
 */
export const readWindow = async <Row>(
  window: { readonly offset: number; readonly limit: number },
  pages: readonly Page[],
  fetchPage: (page: Page) => Promise<PageOf<Row>>,
): Promise<Slice<Row>> => {
  for (let attempt = 1; ; attempt++) {
    const { slice, agree } = await readOnce(window, pages, fetchPage);
    if (agree || attempt === ATTEMPTS_AT_REST) return slice;
  }
};

const readOnce = async <Row>(
  window: { readonly offset: number; readonly limit: number },
  pages: readonly Page[],
  fetchPage: (page: Page) => Promise<PageOf<Row>>,
): Promise<{ readonly slice: Slice<Row>; readonly agree: boolean }> => {
  const totals = new Set<number | null>();
  const found = new Map<number, Row>();
  const fetchInto = async (page: Page): Promise<PageOf<Row>> => {
    const answer = await fetchPage(page);
    totals.add(answer.total);
    if (answer.rows.length === 0 && page.start < (answer.total ?? 0)) throw badResponse('an empty page inside the list');
    answer.rows.slice(0, page.size).forEach((row, index) => {
      found.set(page.start + index, row);
    });
    return answer;
  };

  const [first, ...rest] = pages;
  if (!first) return { slice: { rows: [], total: null }, agree: true };
  const head = await fetchInto(first);
  let last = head;
  if (head.total === null) {
    for (const page of head.rows.length < first.size ? [] : rest) {
      last = await fetchInto(page);
      if (last.rows.length < page.size) break;
    }
  } else {
    const total = head.total;
    const existing = rest.filter((page) => page.start < total);
    const worker = async (): Promise<void> => {
      for (let page = existing.shift(); page; page = existing.shift()) await fetchInto(page);
    };
    await Promise.all(Array.from({ length: Math.min(CONCURRENCY, existing.length) }, worker));
  }

  const rows: Row[] = [];
  for (let index = 0; index < window.limit; index++) {
    const row = found.get(window.offset + index);
    if (row !== undefined) rows.push(row);
  }
  return { slice: { rows, total: head.total }, agree: head.total === null || totals.size === 1 };
};
