/** Keeps answers for a while and lets simultaneous askers share one question. Failures are not kept. */
export interface Cache<Value> {
  get(key: string, load: () => Promise<Value>): Promise<Value>;
  set(key: string, value: Value): void;
  forget(key: string): void;
}

export const createCache = <Value>(ttlMs: number, nowMs: () => number = Date.now): Cache<Value> => {
  const kept = new Map<string, { readonly value: Promise<Value>; readonly until: number }>();

  return {
    get: (key, load) => {
      const entry = kept.get(key);
      if (entry && entry.until > nowMs()) return entry.value;
      const value = load();
      kept.set(key, { value, until: nowMs() + ttlMs });
      value.catch(() => {
        if (kept.get(key)?.value === value) kept.delete(key);
      });
      return value;
    },
    set: (key, value) => {
      kept.set(key, { value: Promise.resolve(value), until: nowMs() + ttlMs });
    },
    forget: (key) => {
      kept.delete(key);
    },
  };
};
