/** Waiting for the end of an operation, and no longer than asked. */
import { type Operation, WaitTimeout } from './errors.js';
import { type Look, poll } from './polling.js';
import { MAX_TIMER_MS, type Timing } from './timing.js';

export interface Waiting {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (operation: Operation) => void;
}

const DEFAULT_TIMEOUT_MS = 600_000;
const WAIT_SECONDS = 20;
/** With somebody who watches. */
const WATCH_SECONDS = 1;

/** @param look asks for the operation, which may take so many seconds @throws WaitTimeout; what `look` throws; the reason of the signal */
export const waitFor = async (
  id: string,
  look: (waitSeconds: number, signal: AbortSignal) => Promise<Look>,
  { timeoutMs = DEFAULT_TIMEOUT_MS, signal, onProgress }: Waiting,
  timing: Timing,
): Promise<Operation> => {
  if (Number.isNaN(timeoutMs)) throw new TypeError('timeoutMs has to be a number.');
  const over = new AbortController();
  const stop = (): void => over.abort(signal?.reason);
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop, { once: true });
  const ended = new DOMException('timeout', 'TimeoutError');
  const timer = setTimeout(() => over.abort(ended), Math.min(timeoutMs, MAX_TIMER_MS));
  let last: Operation | undefined;
  try {
    await poll((wait) => look(wait, over.signal), {
      waitSeconds: onProgress ? WATCH_SECONDS : WAIT_SECONDS,
      until: timing.now() + timeoutMs,
      timing,
      signal: over.signal,
      onProgress: (operation) => {
        last = operation;
        onProgress?.(operation);
      },
    });
  } catch (error) {
    if (error !== ended) throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
  if (last?.done) return last;
  throw new WaitTimeout(id, last, timeoutMs);
};
