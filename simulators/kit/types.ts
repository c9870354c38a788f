/** One call that reached a simulator, without passwords, signatures and tokens. */
export interface CallRecord {
  readonly at: string;
  readonly action: string;
  readonly method: string;
  readonly clusterId: string | null;
  readonly params: Record<string, string>;
  /** How the call was signed, in the vendor's own words; null when it was not. */
  readonly scheme: string | null;
  /** 0 while no answer was sent: pending, hanging, or the socket was destroyed. */
  readonly status: number;
  /** The vendor's code, 'OK', 'PENDING' before a verdict, 'NONE' where a fault gave an answer without a vendor code. */
  readonly code: string;
  readonly faulted: string | null;
}

/** What really happened to a user, in order; the truth that a client's report is compared with. */
export interface Effect {
  readonly at: string;
  readonly clusterId: string;
  readonly username: string;
  readonly effect: 'created' | 'deleted' | 'role_changed' | 'password_changed';
}

export const FAULT_KINDS = [
  'throttle',
  'vendor_error',
  'error_after',
  'http_status',
  'html',
  'cut_json',
  'wrong_shape',
  'delay',
  'hang',
  'hang_after',
  'reset_before',
  'reset_after',
  'job_fails',
  'job_fails_after',
  'job_never_ends',
  'half_batch',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** `strings`: list items are strings; `missing`: the payload key is absent; `array`, `null`: the whole body is that. */
export const SHAPES = ['strings', 'missing', 'array', 'null'] as const;
export type Shape = (typeof SHAPES)[number];

/** Faults wait in the order they were injected. Only calls that passed verification meet them. */
export interface Fault {
  kind: FaultKind;
  /** Only calls of this action or path: 'AddUsers', '/user/addUser'. */
  action?: string;
  /** Only calls that name this user. */
  username?: string;
  /** How many calls it hits; -1 or Infinity is all; default 1. */
  times?: number;
  /** Lets the first matching calls through. */
  skip?: number;
  /** Holds the answer back, after the effect if there is one; works with every kind. */
  delayMs?: number;
  code?: string;
  status?: number;
  message?: string;
  retryAfterSeconds?: number;
  /** For `wrong_shape`; default 'strings'. */
  shape?: Shape;
}

export type DateHeader = 'skewed' | 'none' | 'true';

export interface Simulator {
  readonly endpoint: string;
  readonly clusters: string[];
  readonly calls: readonly CallRecord[];
  readonly journal: readonly Effect[];
  /** Throws a TypeError that says what to change when the fault makes no sense for this vendor. */
  inject(fault: Fault): void;
  clearFaults(): void;
  /** Shifts the simulator's clock; its Date header shifts with it unless told otherwise. */
  setClockSkew(ms: number, options?: { dateHeader?: DateHeader }): void;
  resetCalls(): void;
  checkPassword(clusterId: string, username: string, password: string): boolean;
  /** Destroys open sockets too. */
  close(): Promise<void>;
}

/** A request as it arrived, nothing decoded. */
export interface Incoming {
  readonly method: string;
  readonly path: string;
  readonly rawQuery: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Reply {
  readonly status: number;
  readonly code: string;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a call asks for, as far as the kit needs to know. */
export interface CallFacts {
  readonly action: string;
  readonly method: string;
  readonly clusterId: string | null;
  readonly params: Record<string, string>;
  readonly usernames: readonly string[];
  readonly scheme: string | null;
}

/** All that differs between vendors. */
export interface Dialect<Call extends CallFacts> {
  readonly faultKinds: readonly FaultKind[];
  /** False for a job fault on a call that starts no job, and the like; such a fault goes on waiting. */
  canShow(kind: FaultKind, call: Call): boolean;
  /** Reads a call before anything is verified; never throws. */
  read(request: Incoming): Call;
  /** The refusal of a call that is unsigned, late, replayed or forbidden; null lets it pass. */
  admit(call: Call): Reply | null;
  /** Effect and answer. `twist` is a fault of the vendor's own kind: a job that fails, half a batch. */
  perform(call: Call, twist: Fault | null): Reply;
  /** The vendor's answer for throttle, vendor_error, error_after and http_status. */
  faultReply(fault: Fault, call: Call): Reply;
  misshape(reply: Reply, shape: Shape): Reply;
  /** The cluster's users without passwords; null for an unknown cluster. */
  users(clusterId: string): readonly unknown[] | null;
  checkPassword(clusterId: string, username: string, password: string): boolean;
}
