/** Work that a vendor does after it has answered. Stopped together with the simulator. */
export interface Timers {
  /** Runs at once when `ms` is not positive. */
  after(ms: number, run: () => void): void;
  wait(ms: number): Promise<void>;
  stop(): void;
}

export const createTimers = (): Timers => {
  const pending = new Set<NodeJS.Timeout>();
  const after = (ms: number, run: () => void) => {
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
      for (const timer of pending) clearTimeout(timer);
      pending.clear();
    },
  };
};
