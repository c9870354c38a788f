import { refuse } from './errors.js';

const WINDOW_MS = 3_600_000;

/** 8.26: calls in the last 3600 seconds of the simulator's clock; undefined is no quota. */
export const createQuota = (limit: number | undefined) => {
  const taken: number[] = [];
  return (now: Date) => {
    if (limit === undefined) return;
    const at = now.getTime();
    while ((taken[0] ?? at) <= at - WINDOW_MS) taken.shift();
    if (taken.length >= limit) refuse('2500', 'too many API calls');
    taken.push(at);
  };
};
