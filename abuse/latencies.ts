import { isGood, type Sample } from './legitimate.js';

export interface Latencies {
  readonly requests: number;
  /** By status, or reason, and request. */
  readonly errors: Readonly<Record<string, number>>;
  /** In milliseconds; a request that failed counts as one that took all the client's patience. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;

const nameOf = ({ status, path }: Sample): string => `${status} ${path.replace(/u\d{4}/, '*')}`;

export const latenciesOf = (samples: readonly Sample[]): Latencies => {
  const sorted = samples.map(({ ms }) => ms).toSorted((one, other) => one - other);
  const errors: Record<string, number> = {};
  for (const sample of samples) if (!isGood(sample)) errors[nameOf(sample)] = (errors[nameOf(sample)] ?? 0) + 1;
  return {
    requests: samples.length,
    errors,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    max: percentile(sorted, 1),
  };
};
