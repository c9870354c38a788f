/** Work that a vendor does after it has answered. Stopped together with the simulator. */
export interface Timers {
  /** Runs at once when `ms` is not positive; never after `stop`. */
  after(ms: number, run: () => void): void;
  wait(ms: number): Promise<void>;
  stop(): void;
}

export const createTimers = (): Timers => {
  const pending = new Set<NodeJS.Timeout>();
  let stopped = false;
  const after = (ms: number, run: () => void) => {
    if (stopped) return;
    if (ms <= 0) return run();
    const timer = setTimeout(() => {
      pending.delete(timer);
      run();
    }, ms);
    pending.add(timer);
  };
  return {
    after,
    wait: (ms) => new Promise((resolve) => after(ms, resolve)),
    stop: () => {
      stopped = true;
      for (const timer of pending) clearTimeout(timer);
      pending.clear();
    },
  };
};
