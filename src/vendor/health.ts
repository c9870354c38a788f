/** How an account and its clusters do, as far as calls showed: nobody is called for it. */
import type { Clock } from '../clock.js';
import type { ErrorCode } from '../model.js';
import type { BreakerState } from './breaker.js';
import type { CallSeen } from './client.js';

/**
 * `ok`: the last call was answered as it should be, a refusal of a value included. `degraded`: it failed, or those of some clusters do.
 * `down`: calls are held back, since many failed in a row. `unknown`: there was no call.
 */
export type HealthState = 'ok' | 'degraded' | 'down' | 'unknown';

export interface Health {
  readonly state: HealthState;
  /** In milliseconds since 1970. */
  readonly lastSuccessAt: number | null;
  readonly lastFailure: { readonly at: number; readonly code: ErrorCode } | null;
  /** Of the last call that was answered. */
  readonly latencyMs: number | null;
  readonly breaker: BreakerState;
}

export interface Healths {
  note(call: CallSeen): void;
  ofAccount(): Health;
  /** @param cluster the vendor's id */
  ofCluster(cluster: string): Health;
}

interface Seen extends Omit<Health, 'state' | 'breaker'> {
  /** Whether the last call failed. */
  readonly isFailing: boolean;
}

const NOTHING: Seen = { lastSuccessAt: null, lastFailure: null, latencyMs: null, isFailing: false };

/** They say nothing about the vendor. */
const OURS: ReadonlySet<CallSeen['outcome']> = new Set(['internal_error', 'too_busy']);

/** Worst first. */
const BREAKERS: readonly BreakerState[] = ['open', 'half-open', 'closed'];

/** What is wrong with a user, a cluster or a value is a good answer. */
const isFailure = (code: CallSeen['outcome']): code is ErrorCode => code.startsWith('vendor_') || code === 'cluster_agent_failed';

const latest = (values: readonly (number | null)[]): number | null =>
  values.reduce<number | null>((last, value) => (value !== null && value >= (last ?? value) ? value : last), null);

const stateOf = ({ lastSuccessAt, isFailing }: Seen, breaker: BreakerState): HealthState => {
  if (breaker !== 'closed') return 'down';
  if (isFailing) return 'degraded';
  return lastSuccessAt === null ? 'unknown' : 'ok';
};

export const createHealths = (breakerOf: (cluster: string) => BreakerState, clock: Clock): Healths => {
  /** By the vendor's id of the cluster; an empty one stands for the account. */
  const seen = new Map<string, Seen>();

  const healthOf = (cluster: string): Health => {
    const facts = seen.get(cluster) ?? NOTHING;
    const breaker = breakerOf(cluster);
    const { isFailing: _, ...shown } = facts;
    return { ...shown, state: stateOf(facts, breaker), breaker };
  };

  return {
    note: ({ cluster = '', outcome, durationMs, isGivenUp }) => {
      if (isGivenUp || OURS.has(outcome)) return;
      const facts = seen.get(cluster) ?? NOTHING;
      const at = clock.now();
      const news = isFailure(outcome)
        ? { lastFailure: { at, code: outcome }, isFailing: true }
        : { lastSuccessAt: at, latencyMs: Math.round(durationMs), isFailing: false };
      seen.set(cluster, { ...facts, ...news });
    },

    ofCluster: healthOf,

    ofAccount: () => {
      const all = [...seen.keys()].map(healthOf);
      const states = new Set(all.map(({ state }) => state));
      const last = latest(all.map(({ lastSuccessAt }) => lastSuccessAt));
      const failedAt = latest(all.map(({ lastFailure }) => lastFailure?.at ?? null));
      const [only, ...others] = states;
      return {
        state: only === undefined ? 'unknown' : others.length === 0 ? only : 'degraded',
        lastSuccessAt: last,
        lastFailure: all.find(({ lastFailure }) => lastFailure?.at === failedAt)?.lastFailure ?? null,
        latencyMs: all.find(({ lastSuccessAt }) => lastSuccessAt === last)?.latencyMs ?? null,
        breaker: BREAKERS.find((state) => all.some(({ breaker }) => breaker === state)) ?? 'closed',
      };
    },
  };
};
