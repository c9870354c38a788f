import type { Fault, FaultKind } from './fault.js';

const PAGE_KINDS: readonly FaultKind[] = ['short_page', 'hole_page', 'endless_list', 'offset_ignored'];
const ENDLESS_TOTAL = 1e12;

/** Faults that only an answer with rows of a list can show. */
export const isPageFault = ({ kind }: Fault): boolean => PAGE_KINDS.includes(kind);

export interface Page {
  /** Position of the first row. */
  readonly from: number;
  readonly size: number;
}

/** The largest page: `max`, or less where `short_page` hits. */
export const pageCap = (max: number, fault: Fault | null): number =>
  fault?.kind === 'short_page' ? Math.min(max, fault.rows ?? max) : max;

/** The rows of a page and the total, as the fault changes them. Without `invent` a list cannot show `endless_list`. */
export const takePage = <Row>(
  list: readonly Row[],
  { from, size }: Page,
  fault: Fault | null,
  invent?: (position: number) => Row,
): { total: number; rows: Row[] } => {
  if (fault?.kind === 'endless_list' && invent !== undefined)
    return { total: ENDLESS_TOTAL, rows: Array.from({ length: size }, (_, index) => invent(from + index)) };
  if (fault?.kind === 'offset_ignored') return { total: ENDLESS_TOTAL, rows: list.slice(0, size) };
  const shown = fault?.kind === 'hole_page' ? Math.min(size, fault.rows ?? size) : size;
  return { total: list.length, rows: list.slice(from, from + shown) };
};

/** A name that fits every vendor, of 8 characters for the first 78 thousand million positions. */
export const inventedName = (position: number): string => `x${position.toString(36).padStart(7, '0')}`;
