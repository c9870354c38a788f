/** Windows [offset, offset + limit) of a listing, read page by page. */
import { byNumber, type Page, type PageOf, type Paging, pageAt, pagesBetween } from './paging.js';
import { badResponse } from './wire.js';

export interface Window {
  readonly offset: number;
  readonly limit: number;
  /** Rows in the whole listing, as far as that is known already. */
  readonly total?: number | null;
}

export interface Slice<Row> {
  readonly rows: readonly Row[];
  readonly total: number | null;
  /** Rows of the window may be missing, or have moved while the pages were read. */
  readonly incomplete: boolean;
  /** Rows of the window that could not be used, and are left out. */
  readonly omitted: number;
}

/** Pages asked for at the same time. */
const CONCURRENCY = 8;

/** How often a listing that changes while it is read is read before it counts as incomplete. */
export const MAX_ATTEMPTS = 3;

export interface Source<Row> {
  fetch(page: Page): Promise<PageOf<Row>>;
  /** The key by which two rows differ; null where a row has none. */
  keyOf(row: Row): string | null;
}

/** What one reading of a window came to. `smaller`: the vendor counts pages in this size, smaller than asked. */
interface Reading<Row> {
  readonly slice: Slice<Row>;
  readonly atRest: boolean;
  readonly smaller: number | null;
}

/**
 * Reads a window with as few calls as possible. The first page gives the total, where it is not known already; then only the pages that exist
 * are asked for, a few at a time. Without a total pages are read one by one, and only an empty page is the end.
 *
 * A page that is shorter than asked inside the list is read on from where it ended; where the vendor counts pages, in the size that its
 * answer names. A list that changes meanwhile is read again. What cannot be had leaves the slice incomplete.
 *
 * Bounds: a reading asks for at most `limit` pages; there are at most three readings, and as many again with smaller pages.
 * @throws vendor_bad_response where a page brings nothing new
 */
export const readWindow = async <Row>(window: Window, paging: Paging, source: Source<Row>): Promise<Slice<Row>> => {
  let current = paging;
  for (let attempt = 1, shrunk = 0; ; ) {
    const { slice, atRest, smaller } = await readOnce(window, current, source);
    if (smaller !== null && shrunk < MAX_ATTEMPTS) {
      current = byNumber(smaller);
      shrunk++;
      continue;
    }
    if (atRest) return slice;
    if (attempt === MAX_ATTEMPTS) return { ...slice, incomplete: true };
    attempt++;
  }
};

const readOnce = async <Row>(
  { offset, limit, total: expected = null }: Window,
  paging: Paging,
  source: Source<Row>,
): Promise<Reading<Row>> => {
  const end = offset + limit;
  /** Where the pages begin that were asked for. */
  const asked = new Set<number>();
  const rowAt = new Map<number, Row | null>();
  const placeOf = new Map<string, number>();
  let first: PageOf<Row> | undefined;
  let atRest = true;
  let smaller: number | null = null;

  /** Whether the vendor says that it gave a smaller page than asked; then it may have counted in that size, and the rows are others. */
  const isSmaller = (page: Page, { rows, size }: PageOf<Row>): boolean =>
    paging.kind === 'number' && size === rows.length && size > 0 && size < page.size;

  /** Returns how many rows of the page met their keys at another place. */
  const place = ({ start }: Page, rows: readonly (Row | null)[]): number => {
    let moved = 0;
    rows.forEach((row, index) => {
      const key = row === null ? null : source.keyOf(row);
      const known = key === null ? undefined : placeOf.get(key);
      if (known !== undefined && known !== start + index) moved++;
      if (key !== null && known === undefined) placeOf.set(key, start + index);
      rowAt.set(start + index, row);
    });
    return moved;
  };

  const fetchInto = async (page: Page): Promise<PageOf<Row>> => {
    asked.add(page.start);
    const answer = await source.fetch(page);
    const rows = answer.rows.slice(0, page.size);
    const got = { ...answer, rows };
    first ??= got;
    if (rows.length === 0 && page.start < (answer.total ?? 0)) throw badResponse('an empty page inside the list');
    if (rows.length > 1 && rows.every((row) => row === null)) throw badResponse('a page without a row that can be used');
    const metElsewhere = place(page, rows);
    const moved = isSmaller(page, got) ? 0 : metElsewhere;
    const changed = first.total !== null && answer.total !== first.total;
    if (moved > 1 && moved === rows.length && !changed) throw badResponse('a page that repeats another one');
    if (moved > 0 || changed) atRest = false;
    return got;
  };

  /** Notes the size in which the vendor counts pages, where a page is smaller than asked and `counts` says so. */
  const noteSize = async (page: Page, answer: PageOf<Row>, counts: () => boolean | Promise<boolean>): Promise<void> => {
    const { length } = answer.rows;
    if (isSmaller(page, answer) && (await counts())) smaller = Math.min(length, smaller ?? length);
  };

  /** Of a page behind the first: whether the first page, which must be full then, is smaller than asked too. */
  const isFirstSmaller = async ({ start, size }: Page): Promise<boolean> =>
    start > 0 && (await source.fetch({ start: 0, size })).rows.length < size;

  /** A page that ends exactly where the list does may be the last one, of a vendor that names the rows of a page as its size. */
  const noteSizeWithin = (total: number, page: Page, answer: PageOf<Row>): Promise<void> =>
    noteSize(page, answer, () => answer.rows.length !== Math.min(page.size, total - page.start) || isFirstSmaller(page));

  const sliceOf = (incomplete: boolean): Slice<Row> => {
    const rows: Row[] = [];
    let omitted = 0;
    for (let at = offset; at < end; at++) {
      const row = rowAt.get(at);
      if (row === null) omitted++;
      else if (row !== undefined) rows.push(row);
    }
    return { rows, total: first?.total ?? null, incomplete, omitted };
  };

  /**
   * Without a total. A short page may be the last one or have a hole: a vendor that takes offsets is read on from where it ended, one that
   * counts pages is asked for the page behind it.
   */
  const readToEnd = async (): Promise<boolean> => {
    let holes = false;
    let short: { readonly page: Page; readonly answer: PageOf<Row> } | undefined;
    let page = pageAt(paging, offset, end);
    for (let answer = expected === null ? first : undefined; ; answer = undefined) {
      const got = answer ?? (await fetchInto(page));
      if (short) {
        const earlier = short;
        const atEnd = got.rows.length === 0;
        await noteSize(earlier.page, earlier.answer, () => !atEnd || isFirstSmaller(earlier.page));
        holes ||= !atEnd;
        if (smaller !== null || page.start >= end) return holes;
      }
      if (got.rows.length === 0) return holes;
      short = paging.kind === 'number' && got.rows.length < page.size ? { page, answer: got } : undefined;
      const next = page.start + (short ? page.size : got.rows.length);
      if (next >= end && !short) return holes;
      page = next < end ? pageAt(paging, next, end) : { start: next, size: page.size };
    }
  };

  const fetchAll = async (pages: readonly Page[], total: number): Promise<void> => {
    const left = [...pages];
    const worker = async (): Promise<void> => {
      for (let page = left.shift(); page && smaller === null; page = left.shift()) {
        await noteSizeWithin(total, page, await fetchInto(page));
      }
    };
    await Promise.all(Array.from({ length: Math.min(CONCURRENCY, left.length) }, worker));
  };

  /** All pages of the window that begin before the total, but those that were asked for. */
  const fetchNew = (total: number): Promise<void> =>
    fetchAll(
      pagesBetween(paging, offset, end).filter(({ start }) => start < total && !asked.has(start)),
      total,
    );

  const missingBefore = (bound: number): [from: number, to: number][] => {
    const gaps: [number, number][] = [];
    for (let at = offset; at < bound; at++) {
      if (rowAt.has(at)) continue;
      const last = gaps.at(-1);
      if (last?.[1] === at) last[1] = at + 1;
      else gaps.push([at, at + 1]);
    }
    return gaps;
  };

  /** With a total. A vendor that takes offsets is asked again for what is missing, as long as each round brings something. */
  const readExisting = async (total: number): Promise<boolean> => {
    const bound = Math.min(end, total);
    await fetchNew(total);
    let gaps = missingBefore(bound);
    while (paging.kind === 'offset' && gaps.length > 0) {
      const before = rowAt.size;
      await fetchAll(
        gaps.flatMap(([from, to]) => pagesBetween(paging, from, to)),
        total,
      );
      if (rowAt.size === before) break;
      gaps = missingBefore(bound);
    }
    return gaps.length > 0;
  };

  if (expected !== null && offset < expected) await fetchNew(expected);
  else {
    const head = pageAt(paging, offset, end);
    const answer = await fetchInto(head);
    if (answer.total !== null) await noteSizeWithin(answer.total, head, answer);
  }
  const total = first?.total ?? null;
  const incomplete = await (total === null ? readToEnd() : readExisting(total));
  return { slice: sliceOf(incomplete), atRest, smaller };
};

/** The rows of a listing that has at most `max` of them. @throws vendor_bad_response where some are missing or there are more */
export const readAll = async <Row>(
  max: number,
  paging: Paging,
  source: Source<Row>,
): Promise<Pick<Slice<Row>, 'rows' | 'omitted'>> => {
  const { rows, total, incomplete, omitted } = await readWindow({ offset: 0, limit: max }, paging, source);
  if (incomplete) throw badResponse('a list that has fewer rows than it says');
  if ((total ?? 0) > max) throw badResponse(`a list of more than ${max} rows`);
  return { rows, omitted };
};
