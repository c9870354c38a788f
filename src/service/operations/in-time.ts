import { storeUnavailable } from '../../store/store.js';

/** A store that is away longer than this is told as such to a caller. */
export const STORE_MS = 5_000;

/** What the store answers, or `store_unavailable` when it does not in time. */
export const inTime = async <T>(answer: Promise<T>, ms = STORE_MS): Promise<T> => {
  answer.catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(storeUnavailable()), ms);
  });
  return Promise.race([answer, tooLate]).finally(() => clearTimeout(timer));
};
