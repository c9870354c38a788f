import type { Fault } from './fault.js';
import type { CallFacts } from './types.js';

interface Waiting {
  readonly fault: Fault;
  skip: number;
  left: number;
  /** On the monotonic clock; Infinity until a fault with `forMs` has hit for the first time. */
  endsAt: number;
}

export interface FaultQueue {
  add(fault: Fault): void;
  clear(): void;
  /** The first waiting fault that matches this call and that it can show; uses it up by one. */
  take(call: CallFacts, canShow: (fault: Fault) => boolean): Fault | null;
  list(): Fault[];
}

const matches = (fault: Fault, call: CallFacts) =>
  (fault.action === undefined || fault.action === call.action) &&
  (fault.clusterId === undefined || fault.clusterId === call.clusterId) &&
  (fault.username === undefined || call.usernames.includes(fault.username));

const timesOf = ({ times, forMs }: Fault): number => {
  if (times === undefined) return forMs === undefined ? 1 : Number.POSITIVE_INFINITY;
  return times === -1 ? Number.POSITIVE_INFINITY : times;
};

export const createFaultQueue = (): FaultQueue => {
  let waiting: Waiting[] = [];
  const prune = () => {
    const now = performance.now();
    waiting = waiting.filter(({ left, endsAt }) => left > 0 && now < endsAt);
  };
  return {
    add: (fault) => {
      waiting.push({ fault, skip: fault.skip ?? 0, left: timesOf(fault), endsAt: Number.POSITIVE_INFINITY });
    },
    clear: () => {
      waiting = [];
    },
    take: (call, canShow) => {
      prune();
      for (const entry of waiting) {
        const { fault } = entry;
        if (!matches(fault, call) || !canShow(fault)) continue;
        if (entry.skip > 0) {
          entry.skip -= 1;
          continue;
        }
        entry.left -= 1;
        if (fault.forMs !== undefined) entry.endsAt = Math.min(entry.endsAt, performance.now() + fault.forMs);
        return fault;
      }
      return null;
    },
    list: () => {
      prune();
      return waiting.map(({ fault, skip, left }) => ({ ...fault, skip, times: Number.isFinite(left) ? left : -1 }));
    },
  };
};
