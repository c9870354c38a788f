import { describe, expect, it } from '@jest/globals';
import { byNumber, byOffset, type Page, type PageOf, type Paging, pagesBetween } from '../../src/paging.js';
import { readAll, readWindow } from '../../src/read-window.js';

const numberedPages = (offset: number, limit: number, maxSize: number): Page[] =>
  pagesBetween(byNumber(maxSize), offset, offset + limit);

const covers = (pages: readonly Page[], offset: number, limit: number): boolean => {
  for (let row = offset; row < offset + limit; row++)
    if (!pages.some(({ start, size }) => row >= start && row < start + size)) return false;
  return true;
};

/** The fewest pages, by trying all covers: shortest path from the first row to beyond the last. */
const fewest = (offset: number, limit: number, maxSize: number): number => {
  let reach = new Set([offset]);
  for (let pages = 1; ; pages++) {
    const next = new Set<number>();
    for (const from of reach) {
      for (let size = 1; size <= maxSize; size++) {
        const end = Math.floor(from / size) * size + size;
        if (end >= offset + limit) return pages;
        next.add(end);
      }
    }
    reach = next;
  }
};

describe('numbered pages', () => {
  it('covers offset 37 limit 25 with one page of at most 50', () => {
    expect(numberedPages(37, 25, 50)).toEqual([{ start: 31, size: 31 }]);
  });

  it('covers every window with the fewest pages there can be', () => {
    for (let offset = 0; offset <= 60; offset += 1) {
      for (const limit of [1, 2, 5, 7, 10, 11, 25]) {
        const pages = numberedPages(offset, limit, 10);
        expect(covers(pages, offset, limit)).toBe(true);
        expect(pages.every(({ start, size }) => start % size === 0 && size >= 1 && size <= 10)).toBe(true);
        expect([offset, limit, pages.length]).toEqual([offset, limit, fewest(offset, limit, 10)]);
      }
    }
  });

  it('takes 20 pages of 50 for 1000 users', () => {
    expect(numberedPages(0, 1000, 50)).toEqual(Array.from({ length: 20 }, (_, index) => ({ start: index * 50, size: 50 })));
  });
});

describe('offset pages', () => {
  it.each([
    [0, 100, [{ start: 0, size: 100 }]],
    [37, 25, [{ start: 37, size: 25 }]],
    [
      99,
      102,
      [
        { start: 99, size: 100 },
        { start: 199, size: 2 },
      ],
    ],
  ])('%i, %i', (offset, limit, pages) => {
    expect(pagesBetween(byOffset(100), offset, offset + limit)).toEqual(pages);
  });
});

/** Rows are numbers, and their keys are too. */
const rowsBetween = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);

type Answer = PageOf<number>;

/** A vendor with `total` rows that notes what it was asked; `fault` changes its honest answers. */
const vendorOf = (total: number, fault: (honest: Answer, page: Page, call: number) => Answer = (honest) => honest) => {
  const asked: Page[] = [];
  return {
    asked,
    fetch: async (page: Page): Promise<Answer> => {
      asked.push(page);
      const rows = rowsBetween(page.start, Math.min(page.start + page.size, total));
      return fault({ rows, total, size: page.size }, page, asked.length);
    },
    keyOf: (row: number) => String(row),
  };
};
const untold = (honest: Answer): Answer => ({ ...honest, total: null });
const PAGINGS: [string, Paging][] = [
  ['offset', byOffset(10)],
  ['number', byNumber(10)],
];
const window = (offset: number, limit: number) => ({ offset, limit });
const BAD = { code: 'vendor_bad_response' };

describe.each(PAGINGS)('reading a window by %s', (_, paging) => {
  it.each([
    [0, 10],
    [9, 1],
    [10, 1],
    [9, 2],
    [95, 10],
    [99, 1],
    [100, 5],
    [3, 100],
  ])('returns exactly [%i, + %i) of 100, with and without a total', async (offset, limit) => {
    for (const fault of [undefined, untold]) {
      const slice = await readWindow(window(offset, limit), paging, vendorOf(100, fault));
      expect(slice).toEqual({
        rows: rowsBetween(offset, Math.min(100, offset + limit)),
        total: fault ? null : 100,
        incomplete: false,
        omitted: 0,
      });
    }
  });

  it('asks for no page beyond the total', async () => {
    const vendor = vendorOf(25);
    await readWindow(window(0, 1000), paging, vendor);
    expect(vendor.asked).toHaveLength(3);
  });

  it('without a total, asks once behind a short page: only an empty one proves the end', async () => {
    const vendor = vendorOf(25, untold);
    expect((await readWindow(window(0, 1000), paging, vendor)).rows).toEqual(rowsBetween(0, 25));
    expect(vendor.asked).toHaveLength(4);
    const full = vendorOf(25, untold);
    await readWindow(window(0, 20), paging, full);
    expect(full.asked).toHaveLength(2);
  });

  it('refuses an empty page inside the list', async () => {
    const vendor = vendorOf(5, (honest) => ({ ...honest, rows: [] }));
    await expect(readWindow(window(0, 10), paging, vendor)).rejects.toMatchObject(BAD);
  });

  it.each([
    ['with a total', 1e12],
    ['without one', null],
  ])('refuses a vendor that ignores where a page begins, %s', async (_, total) => {
    const vendor = vendorOf(1000, (honest) => ({ ...honest, total, rows: rowsBetween(0, honest.rows.length) }));
    await expect(readWindow(window(0, 1000), paging, vendor)).rejects.toMatchObject(BAD);
    expect(vendor.asked.length).toBeLessThan(10);
  });

  it('asks for all pages at once where the total is known', async () => {
    let most = 0;
    let running = 0;
    const vendor = vendorOf(95, (honest) => honest);
    const source = {
      ...vendor,
      fetch: async (page: Parameters<typeof vendor.fetch>[0]) => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        return vendor.fetch(page).finally(() => {
          running--;
        });
      },
    };
    const slice = await readWindow({ ...window(0, 80), total: 95 }, paging, source);
    expect([slice.rows.length, slice.total, slice.incomplete, vendor.asked.length, most]).toEqual([80, 95, false, 8, 8]);
    // It has become longer, or shorter, since then.
    for (const total of [85, 200]) {
      const again = await readWindow(
        { ...window(80, 80), total },
        paging,
        vendorOf(95, (honest) => honest),
      );
      expect([again.rows.length, again.total, again.incomplete]).toEqual([15, 95, false]);
    }
  });

  it('reads a list again whose total changes, and says so when it does not come to rest', async () => {
    const settling = vendorOf(40, (honest, _, call) => ({ ...honest, total: call === 2 ? 41 : 40 }));
    expect(await readWindow(window(0, 40), paging, settling)).toEqual({
      rows: rowsBetween(0, 40),
      total: 40,
      incomplete: false,
      omitted: 0,
    });
    const restless = vendorOf(40, (honest, _, call) => ({ ...honest, total: 1000 + call }));
    expect((await readWindow(window(0, 40), paging, restless)).incomplete).toBe(true);
    expect(restless.asked).toHaveLength(12);
  });

  it('reads a list again whose rows moved although its total stayed', async () => {
    const moving = vendorOf(40, (honest, _, call) =>
      call === 2 ? { ...honest, rows: honest.rows.map((row) => (row ?? 0) - 1) } : honest,
    );
    expect(await readWindow(window(0, 40), paging, moving)).toMatchObject({ rows: rowsBetween(0, 40), incomplete: false });
    expect(moving.asked).toHaveLength(8);
  });

  it('does as little for an endless list as for any other', async () => {
    const vendor = vendorOf(Number.MAX_SAFE_INTEGER, (honest) => ({ ...honest, total: 1e12 }));
    const { rows, total } = await readWindow(window(0, 50), paging, vendor);
    expect([rows.length, total, vendor.asked.length]).toEqual([50, 1e12, 5]);
  });

  it('takes no more rows of a page than it asked for', async () => {
    const vendor = vendorOf(1000, (honest, { start }) => ({ ...honest, rows: rowsBetween(start, start + 500) }));
    expect((await readWindow(window(0, 25), paging, vendor)).rows).toEqual(rowsBetween(0, 25));
  });
});

describe('a page that is shorter than asked inside the list', () => {
  /** Gives at most `most` rows a page where `hit` says so. */
  const short =
    (most: number, hit: (page: Page) => boolean = () => true, more: Partial<Answer> = {}) =>
    (honest: Answer, page: Page) =>
      hit(page) ? { ...honest, rows: honest.rows.slice(0, most), ...more } : honest;

  it.each([
    ['one page', short(4, ({ start }) => start === 10)],
    ['the first page', short(4, ({ start }) => start === 0)],
    ['every page', short(3)],
    ['one row a page', short(1)],
  ])('is read on from where it ended: %s', async (_, fault) => {
    const vendor = vendorOf(55, fault);
    expect(await readWindow(window(0, 1000), byOffset(10), vendor)).toEqual({
      rows: rowsBetween(0, 55),
      total: 55,
      incomplete: false,
      omitted: 0,
    });
    const silent = vendorOf(55, (honest, page) => untold(fault(honest, page)));
    expect(await readWindow(window(5, 40), byOffset(10), silent)).toEqual({
      rows: rowsBetween(5, 45),
      total: null,
      incomplete: false,
      omitted: 0,
    });
  });

  it('makes no more calls than rows are missing', async () => {
    const vendor = vendorOf(55, short(1));
    await readWindow(window(0, 1000), byOffset(10), vendor);
    expect(vendor.asked.length).toBeLessThanOrEqual(55);
  });

  /** A vendor that counts pages in a smaller size than asked. */
  const clamped = (total: number, most: number, hasTotal = true) => {
    const asked: Page[] = [];
    const fetch = async (page: Page): Promise<Answer> => {
      asked.push(page);
      const size = Math.min(page.size, most);
      const start = (page.start / page.size) * size;
      return { rows: rowsBetween(start, Math.min(start + size, total)), total: hasTotal ? total : null, size };
    };
    return { asked, fetch, keyOf: String };
  };

  it.each([true, false])('is read in the size that the vendor names (with a total: %s)', async (hasTotal) => {
    for (const [offset, limit] of [
      [0, 1000],
      [7, 20],
      [33, 1000],
      [48, 20],
      [52, 10],
      [54, 10],
      [80, 10],
    ] as const) {
      const slice = await readWindow(window(offset, limit), byNumber(10), clamped(55, 4, hasTotal));
      expect(slice).toEqual({
        rows: rowsBetween(offset, Math.min(55, offset + limit)),
        total: hasTotal ? 55 : null,
        incomplete: false,
        omitted: 0,
      });
    }
    const vendor = clamped(55, 4);
    await readWindow(window(0, 1000), byNumber(10), vendor);
    expect(vendor.asked).toHaveLength(1 + 14);
  });

  it('is the last one of a vendor that names the rows of a page as its size', async () => {
    const vendor = vendorOf(55, (honest) => ({ ...honest, size: honest.rows.length }));
    expect((await readWindow(window(0, 1000), byNumber(10), vendor)).rows).toEqual(rowsBetween(0, 55));
    expect(vendor.asked).toHaveLength(6 + 1);
  });

  it.each([
    ['with a total', (honest: Answer) => honest],
    ['without one', untold],
  ])('leaves the slice incomplete where page numbers go on as always, %s', async (_, report) => {
    const hole = short(7, ({ start }) => start === 10);
    const vendor = vendorOf(55, (honest, page) => report(hole(honest, page)));
    const { rows, incomplete } = await readWindow(window(0, 1000), byNumber(10), vendor);
    expect(incomplete).toBe(true);
    expect(rows).toEqual(rowsBetween(0, 55).filter((row) => row < 17 || row >= 20));
    const atEdge = vendorOf(55, (honest, page) => report(hole(honest, page)));
    expect((await readWindow(window(10, 10), byNumber(10), atEdge)).incomplete).toBe(true);
  });

  it('ends where every page of an endless list is short', async () => {
    const vendor = vendorOf(1e9, (honest) => ({ rows: honest.rows.slice(1), total: null }));
    expect((await readWindow(window(0, 100), byNumber(10), vendor)).incomplete).toBe(true);
    expect(vendor.asked).toHaveLength(11);
  });

  it('ends where a vendor names ever smaller sizes', async () => {
    const vendor = vendorOf(1000, (honest, page) => ({ ...honest, rows: honest.rows.slice(0, -1), size: page.size - 1 }));
    const { incomplete } = await readWindow(window(0, 100), byNumber(10), vendor);
    expect(incomplete).toBe(true);
    expect(vendor.asked.length).toBeLessThan(100);
  });

  it('and that cannot be had is not there', async () => {
    const vendor = vendorOf(30, (honest, { start }) => ({
      ...honest,
      rows: honest.rows.filter((row) => (row ?? 0) < 25),
      total: start < 25 ? 30 : 25,
    }));
    expect(await readWindow(window(0, 30), byOffset(10), vendor)).toMatchObject({ rows: rowsBetween(0, 25), incomplete: true });
  });
});

describe('rows that cannot be used', () => {
  it.each([byOffset(10), byNumber(10)])('are left out and counted, and keep their places', async (paging) => {
    const vendor = vendorOf(35, (honest) => ({
      ...honest,
      rows: honest.rows.map((row) => (row === 0 || row === 17 || row === 34 ? null : row)),
    }));
    const slice = await readWindow(window(10, 25), paging, vendor);
    expect(slice).toEqual({
      rows: rowsBetween(10, 35).filter((row) => row !== 17 && row !== 34),
      total: 35,
      incomplete: false,
      omitted: 2,
    });
    expect(await readAll(100, paging, vendor)).toMatchObject({ omitted: 3 });
  });
});

describe('reading all', () => {
  it('returns all rows, and refuses a list with holes or with more rows than may be', async () => {
    expect(await readAll(100, byOffset(10), vendorOf(55))).toEqual({ rows: rowsBetween(0, 55), omitted: 0 });
    await expect(readAll(54, byOffset(10), vendorOf(55))).rejects.toMatchObject(BAD);
    const holes = vendorOf(55, (honest) => ({ ...honest, rows: honest.rows.slice(0, 7) }));
    await expect(readAll(100, byNumber(10), holes)).rejects.toMatchObject(BAD);
  });
});
