/**
 * The adapter contract: all that there is to know to write an adapter for one more vendor.
 *
 * An adapter speaks the model of `openapi.yaml` on the outside and one vendor's protocol on the inside. It translates; it decides
 * nothing: rules are data (`capabilities`), outcomes are settled by `src/service`, deadlines and retries by `src/vendor`.
 *
 * All methods are safe under concurrent calls, honour `call.signal`, and fail with a `GatewayError` only.
 */

import type { Capabilities, ClusterState, Role } from './model.js';
import type { Secret } from './secret.js';
import type { HttpClient } from './vendor/client.js';
import type { Scope } from './vendor/scope.js';

/** Who waits for a call: a person for a reading, or for a write; a batch; nobody. */
export type Purpose = 'read' | 'write' | 'batch' | 'background';

/** How many calls were made for something. */
export interface Tally {
  calls: number;
}

/** Facts of one call. Adapters pass it on, to whatever they call, as it is. */
export interface Call {
  readonly requestId: string;
  readonly signal: AbortSignal;
  /** By default `read`. */
  readonly purpose?: Purpose;
  /** Counts the calls that are made for it. */
  readonly tally?: Tally;
  /** Whose work it is: owners take turns at the processor. */
  readonly owner?: string;
  /** Whether a request of it may leave now: asked right before its first byte, on a connection that stands. By default it may. */
  mayLeave?(): boolean;
  /** What the gateway keeps with it while an adapter works. */
  readonly scope?: Scope;
}

/** How many calls an account may make in a window of time. */
export interface BudgetConfig {
  readonly calls: number;
  readonly perSeconds: number;
}

/** A cluster as its vendor describes it. Times are ISO 8601 in UTC. */
export interface VendorCluster {
  readonly id: string;
  readonly name: string | null;
  readonly state: ClusterState;
  /** The vendor's own word for the state. */
  readonly vendorState: string | null;
  /** The vendor's own kind of cluster, where capabilities differ by it. */
  readonly type: string | null;
  readonly region: string | null;
  readonly zone: string | null;
  readonly createdAt: string | null;
}

/** A user as their vendor describes them, in the terms of the model. `attributes` are the vendor's fields as sent. */
export interface VendorUser {
  readonly username: string;
  readonly role: Role;
  /** The vendor's word for the role is none that the adapter knows, and `role` the closest: callers whose rights depend on it may not touch the user. */
  readonly isRoleUnknown?: true;
  readonly group: string | null;
  readonly uid: number | null;
  readonly gid: number | null;
  readonly mountPoint: string | null;
  readonly createdAt: string | null;
  readonly updatedAt: string | null;
  readonly userId: string | null;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface ClusterListing {
  readonly clusters: readonly VendorCluster[];
  /** Rows that name no cluster, and are left out. */
  readonly omitted?: number;
}

/** Users [offset, offset + limit) of a listing. */
export interface UserWindow {
  readonly offset: number;
  readonly limit: number;
  /** Only where capabilities say `search: native`. May be answered with too many users, never with too few. */
  readonly search?: string;
  /** The `snapshot` of an earlier slice: go on in the same listing where the vendor keeps one. A stale one is not an error. */
  readonly snapshot?: string;
  /** Users in the whole listing, as an earlier slice of it said: pages may be asked for at once. */
  readonly total?: number | null;
}

export interface UserSlice {
  /** In the vendor's order; fewer than `limit` only at the end of the listing. */
  readonly users: readonly VendorUser[];
  /** Users in the whole listing; null where the vendor does not tell. */
  readonly total: number | null;
  readonly snapshot?: string;
  /**
   * Users of the window may be missing: a page was shorter than asked inside the list and could not be read on, or the total changed while
   * reading. Who is not in an incomplete slice may be there all the same.
   */
  readonly incomplete?: boolean;
  /** Rows of the window that name no user, and are left out. Each may be anybody. */
  readonly omitted?: number;
}

export interface NewUser {
  readonly username: string;
  readonly password: Secret;
  readonly role: Role;
  readonly directoryMode?: string;
}

export interface RoleChange {
  readonly username: string;
  readonly role: Role;
}

export interface PasswordChange {
  readonly username: string;
  readonly password: Secret;
}

/** What the vendor said: done, or taken and to be followed with `getJobs`. No vendor answers per user; the service finds that out. */
export type Receipt = ({ readonly state: 'applied' } | { readonly state: 'accepted'; readonly job: string }) & {
  /** The vendor's name of the request, for the audit trail: one that the vendor can be asked about. */
  readonly requestId?: string | null;
};

/** `unknown`: the vendor does not list the job (any more), or says what nobody has explained; reading back has to settle it. */
export type JobState =
  | { readonly state: 'pending' | 'succeeded' | 'unknown' }
  | { readonly state: 'failed'; readonly code: string | null };

/**
 * Work on one vendor account. `clusterId` is the vendor's own id. An optional method that is missing is a missing capability; there are
 * no stubs.
 *
 * Writes take at least one and at most `capabilities.batch.*` users, each username once. When a write fails, `error.effect` says
 * what can have changed all the same: `none` is a promise. Of `vendor_unavailable` it also says what the vendor's word was worth:
 * `none` or `ended` is a *busy* vendor (throttled, overloaded, not reached), to be sent to again later; `open` is *no word* at all
 * (an internal error, a proxy's page, a lost answer), to be read back first.
 */
export interface Adapter {
  /** All clusters of the account that are not deleted. */
  listClusters(call: Call): Promise<ClusterListing>;
  /** @throws cluster_not_found */
  getCluster(clusterId: string, call: Call): Promise<VendorCluster>;
  /** Translating windows to the vendor's pages, with as few vendor calls as possible, is the adapter's job. @throws cluster_not_found */
  listUsers(clusterId: string, window: UserWindow, call: Call): Promise<UserSlice>;
  /** A shortcut to one user, where the vendor has one. A user that comes back is the user; null proves nothing. */
  lookUpUser?(clusterId: string, username: string, call: Call): Promise<VendorUser | null>;
  /** @throws user_already_exists */
  createUsers?(clusterId: string, users: readonly NewUser[], call: Call): Promise<Receipt>;
  /** Idempotent. @throws user_not_found */
  setRoles?(clusterId: string, changes: readonly RoleChange[], call: Call): Promise<Receipt>;
  /** Idempotent. @throws user_not_found */
  setPasswords?(clusterId: string, changes: readonly PasswordChange[], call: Call): Promise<Receipt>;
  /** @throws user_not_found */
  deleteUsers?(clusterId: string, usernames: readonly string[], call: Call): Promise<Receipt>;
  /**
   * The states of up to a thousand jobs, in their order, with as few calls as possible: their number is bounded. `pending` also where the
   * bound was reached before the job was found. Needed where a write answers `accepted`.
   */
  getJobs?(jobs: readonly string[], call: Call): Promise<readonly JobState[]>;
}

/** All that an adapter may touch: no environment, no globals, no clock of its own. */
export interface AdapterContext<Config> {
  readonly config: Config;
  readonly http: HttpClient;
  /** The time for signing: the local clock, corrected after the vendor called it skewed. */
  readonly now: () => Date;
  /** Resolves after `ms`, for polling. @throws vendor_timeout as soon as the signal aborts */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Unique text per call, 32 hex characters. */
  readonly nonce: () => string;
}

/** What a vendor's folder exports. */
export interface AdapterModule<Config = unknown> {
  /** Equals the folder's name. */
  readonly vendor: string;
  /** The vendor's name for people. */
  readonly title: string;
  /**
   * JSON Schema of the account's settings, without the common `vendor` and `discover`. `format: endpoint` is the gateway's
   * rule for URLs. A text that is `writeOnly`, as every password and key has to be, arrives in `config` as a `Secret`.
   */
  readonly configSchema: Readonly<Record<string, unknown>>;
  /** What the vendor documents that an account may call, where the configuration says nothing else. */
  readonly budget?: BudgetConfig;
  /**
   * Names a cluster, whichever account it is asked through: two accounts that see the same cluster give it the same key. Absent where
   * accounts never share clusters.
   */
  clusterKey?(config: Config, clusterId: string): string;
  /** What a cluster of an account can do; without them, what the vendor can do at best. */
  capabilities(cluster?: VendorCluster, config?: Config): Capabilities;
  create(context: AdapterContext<Config>): Adapter;
}
