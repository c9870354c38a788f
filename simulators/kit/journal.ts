import type { CallFacts, CallRecord, Effect } from './types.js';

const KEPT_CALLS = 20_000;

type OpenCall = { -readonly [Key in keyof CallRecord]: CallRecord[Key] };

/** The request log and the log of effects. Long benchmarks keep only the newest calls. */
export interface Journal {
  readonly calls: readonly CallRecord[];
  readonly effects: readonly Effect[];
  /** Effects of what `byOtherParty` runs; they are not in `effects`. */
  readonly otherChanges: readonly Effect[];
  /** Logs a call when it arrives; the verdict is filled in later. */
  open(facts: CallFacts): OpenCall;
  effect(clusterId: string, username: string, effect: Effect['effect']): void;
  byOtherParty(run: () => void): void;
  resetCalls(): void;
}

export const createJournal = (now: () => Date): Journal => {
  const calls: OpenCall[] = [];
  const effects: Effect[] = [];
  const otherChanges: Effect[] = [];
  let target = effects;
  return {
    calls,
    effects,
    otherChanges,
    open: ({ action, method, clusterId, params, scheme }) => {
      const call = {
        at: now().toISOString(),
        action,
        method,
        clusterId,
        params,
        scheme,
        status: 0,
        code: 'PENDING',
        faulted: null,
      };
      calls.push(call);
      if (calls.length > 2 * KEPT_CALLS) calls.splice(0, KEPT_CALLS);
      return call;
    },
    effect: (clusterId, username, effect) => {
      target.push({ at: now().toISOString(), clusterId, username, effect });
    },
    byOtherParty: (run) => {
      target = otherChanges;
      try {
        run();
      } finally {
        target = effects;
      }
    },
    resetCalls: () => {
      calls.length = 0;
    },
  };
};
