/** Where an attack goes to. */
export interface Target {
  readonly host: string;
  readonly port: number;
  /** The header line that names the caller; empty where the gateway knows no callers. */
  readonly authorization: string;
  /** Another address of this machine than the legitimate client's, where there is one. */
  readonly from: string | undefined;
}

/** What an attacker has done; added up over its processes. */
export interface Tally {
  opened: number;
  /** Connections that could not be opened, or that the gateway cut. */
  cut: number;
  sent: number;
  /** Answers by status; `none` is a request that was not answered. */
  statuses: Record<string, number>;
  /** The slowest answer of each kind of request, in milliseconds, and the statuses that the kind met. */
  kinds: Record<string, { slowestMs: number; statuses: string[] }>;
}

/** One attacker process. */
export interface Order {
  readonly attack: string;
  readonly target: Target;
  readonly ms: number;
  /** Which of how many processes it is. */
  readonly part: number;
  readonly parts: number;
  /** Connections that one process may have. */
  readonly maxConnections: number;
  /** Requests per second, for the flood. */
  readonly rate: number;
}

export interface Attack {
  /** Whose key it uses: `flooding` is a caller with the default limits. */
  readonly caller: 'attacking' | 'flooding';
  /** Connections over all processes. */
  readonly connections: number;
  /** Makes ready what is sent, before anything is measured; the function that is returned attacks. */
  prepare(order: Order): (tally: Tally) => Promise<void>;
}
