/** Works on an operation, as `owner`, until it is final or to be left to others. */
export type Runner = (id: string, owner: string) => Promise<void>;

/** Brings operations to whoever works on them: once, and again when that process dies. */
export interface Queue {
  add(id: string): Promise<void>;
  /** Resolves when this process works on nothing. */
  idle(): Promise<void>;
  /** Takes nothing more. */
  pause(): Promise<void>;
  close(): Promise<void>;
}
