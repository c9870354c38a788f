import { describe, expect, it } from '@jest/globals';
import { numberedPages, offsetPages, type Page, readWindow } from '../../src/paging.js';

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
    expect(offsetPages(offset, limit, 100)).toEqual(pages);
  });
});

describe('reading a window', () => {
  const listing = (total: number, told: number | null = total) => {
    const asked: Page[] = [];
    const fetchPage = async (page: Page) => {
      asked.push(page);
      return {
        rows: Array.from({ length: Math.max(0, Math.min(page.size, total - page.start)) }, (_, i) => page.start + i),
        total: told,
      };
    };
    return { asked, fetchPage };
  };
  const read = (offset: number, limit: number, maxSize: number, { fetchPage }: ReturnType<typeof listing>) =>
    readWindow({ offset, limit }, numberedPages(offset, limit, maxSize), fetchPage);
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

  it.each([
    [0, 10],
    [9, 1],
    [10, 1],
    [9, 2],
    [95, 10],
    [99, 1],
    [100, 5],
    [3, 100],
  ])('gives exactly [%i, + %i) of 100', async (offset, limit) => {
    expect((await read(offset, limit, 10, listing(100))).rows).toEqual(
      range(offset, Math.min(100, offset + limit)).filter((row) => row < 100),
    );
  });

  it('asks for no page beyond the total', async () => {
    const source = listing(25);
    await read(0, 1000, 10, source);
    expect(source.asked).toHaveLength(3);
  });

  it('stops at a short page where there is no total', async () => {
    const source = listing(25, null);
    expect((await read(0, 1000, 10, source)).rows).toEqual(range(0, 25));
    expect(source.asked).toHaveLength(3);
  });

  it('refuses an empty page inside the list', async () => {
    await expect(
      readWindow({ offset: 0, limit: 10 }, [{ start: 0, size: 10 }], async () => ({ rows: [], total: 5 })),
    ).rejects.toMatchObject({
      code: 'vendor_bad_response',
    });
  });
});
