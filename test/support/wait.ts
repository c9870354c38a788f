/** Waiting in tests: as long as it takes, and no longer. */
import { setTimeout as delay } from 'node:timers/promises';

const PAUSE_MS = 20;
/** Longer than anything takes on a busy machine, shorter than Jest's limit: a test that waits in vain fails with a reason. */
const PATIENCE_MS = 50_000;

export const pause = (ms: number): Promise<void> => delay(ms);

/** Looks until what is seen fits. @returns what fitted */
export const until = async <Seen>(
  look: () => Seen | Promise<Seen>,
  fits: (seen: Seen) => boolean = Boolean,
  pauseMs = PAUSE_MS,
): Promise<Seen> => {
  const since = Date.now();
  for (;;) {
    const seen = await look();
    if (fits(seen)) return seen;
    if (Date.now() - since > PATIENCE_MS) throw new Error(`waited in vain; seen last: ${JSON.stringify(seen)}`);
    await delay(pauseMs);
  }
};
