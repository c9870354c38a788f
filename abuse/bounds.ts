/** What the gateway has to keep while it is attacked, and afterwards. */
import type { Latencies } from './latencies.js';

export const BOUNDS = { p99Ms: 500, rssBytes: 150 * 1024 * 1024, connections: 10 } as const;

/** Of the median afterwards, against that of a quiet gateway. */
const MAX_SLOWDOWN = 5;
const NOISE_MS = 20;

/** A gateway that nobody attacks. */
export interface Quiet {
  readonly rss: number;
  readonly legitimate: Latencies;
  readonly longestGapMs: number;
}

export interface Recovery {
  readonly legitimate: Latencies;
  readonly rssOverIdle: number;
  /** Undefined where they cannot be counted. */
  readonly connections: number | undefined;
}

export const isRecovered = ({ legitimate, rssOverIdle, connections = 0 }: Recovery, quiet: Quiet): boolean =>
  legitimate.requests > 0 &&
  Object.keys(legitimate.errors).length === 0 &&
  legitimate.p99 < BOUNDS.p99Ms &&
  legitimate.p50 < quiet.legitimate.p50 * MAX_SLOWDOWN + NOISE_MS &&
  rssOverIdle < BOUNDS.rssBytes &&
  connections <= BOUNDS.connections;

export interface Observed {
  readonly legitimate: Latencies;
  readonly rssPeakOverIdle: number;
  readonly recovered: boolean;
}

export const isWithinBounds = ({ legitimate, rssPeakOverIdle, recovered }: Observed): boolean =>
  recovered && legitimate.requests > 0 && legitimate.p99 < BOUNDS.p99Ms && rssPeakOverIdle < BOUNDS.rssBytes;

/** 0 only if all bounds held, in one attack at least. */
export const exitCodeOf = (results: readonly { readonly isWithinBounds: boolean }[]): number =>
  results.length > 0 && results.every((result) => result.isWithinBounds) ? 0 : 1;
