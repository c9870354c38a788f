/** Lists with one row that is none. */
import type { Shape } from './fault.js';

type Row = Readonly<Record<string, unknown>>;

/** The second row, or the only one. */
const placeIn = (rows: readonly unknown[]): number => Math.min(1, rows.length - 1);

const without = (row: Row, keys: readonly string[]): Row =>
  Object.fromEntries(Object.entries(row).filter(([key]) => !keys.includes(key)));

const typed = (row: Row, keys: readonly string[]): Row =>
  Object.fromEntries(Object.entries(row).map(([key, value]) => [key, keys.includes(key) ? { value } : value]));

/** The list as the shape spoils it; undefined for a shape of the whole. @param keys those that name a row */
export const spoilRow = (rows: readonly unknown[], shape: Shape, keys: readonly string[]): readonly unknown[] | undefined => {
  const spoilt = (change: (row: Row) => unknown): unknown[] =>
    rows.map((row, at) => (at === placeIn(rows) ? change(row as Row) : row));
  if (shape === 'row_null') return spoilt(() => null);
  if (shape === 'row_text') return spoilt(() => 'row');
  if (shape === 'row_empty') return spoilt(() => ({}));
  if (shape === 'row_unnamed') return spoilt((row) => without(row, keys));
  if (shape === 'row_typed') return spoilt((row) => typed(row, keys));
  return undefined;
};
