import type { Effect } from '../errors.js';
import { storeUnavailable } from './store.js';

/** Longer than a store waits that is unavailable. */
const STORE_MS = 6_000;

/** What the store answers, or `store_unavailable` when it does not in time. @param effect of what it may have been doing */
export const inTime = async <T>(answer: Promise<T>, ms = STORE_MS, effect: Effect = 'none'): Promise<T> => {
  answer.catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(storeUnavailable(undefined, effect)), ms);
  });
  return Promise.race([answer, tooLate]).finally(() => clearTimeout(timer));
};
