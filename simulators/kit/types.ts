import type { Secrets } from './echo.js';
import type { Fault, FaultKind, Shape } from './fault.js';
import type { OtherParty } from './other-party.js';

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

export type DateHeader = 'skewed' | 'none' | 'true';

export interface ClockSkew {
  /** `skewed`: the Date header follows the clock; `true`: it is right; `none`: it is not sent. Default 'skewed'. */
  dateHeader?: DateHeader;
  /** The error of the Date header, whatever that of the clock is. */
  dateMs?: number | undefined;
}

export interface Simulator extends OtherParty {
  readonly endpoint: string;
  readonly clusters: string[];
  readonly calls: readonly CallRecord[];
  /** Effects of API calls. */
  readonly journal: readonly Effect[];
  /** Effects of `addUser`, `removeUser`, `changePassword` and `setGroup`. */
  readonly otherChanges: readonly Effect[];
  /** Throws a TypeError that says what to change when the fault makes no sense for this vendor. */
  inject(fault: Fault): void;
  clearFaults(): void;
  /** Shifts the simulator's clock, which stamps users and checks signatures; the Date header follows by default. */
  setClockSkew(ms: number, options?: ClockSkew): void;
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
  /** What calls can be of. */
  readonly actions: readonly string[];
  /** False for a job fault on a call that starts no job, and the like; such a fault keeps waiting. */
  canShow(fault: Fault, call: Call): boolean;
  /** Reads a call before anything is verified; never throws. */
  read(request: Incoming): Call;
  /** The refusal of a call that is unsigned, late, replayed or forbidden; null lets it pass. */
  admit(call: Call): Reply | null;
  /** Effect and answer. `fault` is one that changes the operation itself: a job that fails, half a batch, a short page. */
  perform(call: Call, fault: Fault | null): Reply;
  /** The vendor's answer for throttle, vendor_error, error_after and http_status. */
  faultReply(fault: Fault, call: Call): Reply;
  corrupt(reply: Reply, shape: Shape): Reply;
  /** Absent where the vendor cannot show the fault `echo`. */
  readonly echo?: {
    secretsOf(call: Call): Secrets;
    /** The answer whose member `field` is this text. */
    withField(reply: Reply, field: string, text: string): Reply;
  };
  readonly otherParty: OtherParty;
  /** The cluster's users without passwords; null for an unknown cluster. */
  users(clusterId: string): readonly unknown[] | null;
  checkPassword(clusterId: string, username: string, password: string): boolean;
}
