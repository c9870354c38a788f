/** What chance decides: the vendor and its quirks, what is asked for, and what goes wrong meanwhile. Plain data, so that it can be repeated. */
import type { Fault } from '../../simulators/kit/index.js';

export type VendorName = 'alibaba-ehpc' | 'shanhe-hpc';

/** Names that writes meet at; each fits both vendors. */
export const NAMES = ['wang01', 'wang02', 'wang03', 'wang04', 'wang05', 'wang06', 'wang07', 'wang08'] as const;
/** Fits no vendor's rules. */
export const BAD_NAME = 'bad-name';

export type Who = number | 'bad';
export const nameOf = (who: Who): string => (who === 'bad' ? BAD_NAME : (NAMES[who] ?? BAD_NAME));

/** A placeholder in a fault for the action that the first item of the command needs. */
export const OWN = 'own';

export type Role = 'member' | 'admin';
/** `picky` passes the gateway's rules and not the vendor's. */
export type Secret = 'good' | 'picky';
/** `stale` is of nobody, `current` is read right before. */
export type IfMatch = 'stale' | 'current' | 'any';

export type Item =
  | { readonly op: 'create'; readonly who: Who; readonly role?: Role; readonly secret: Secret }
  | { readonly op: 'update'; readonly who: Who; readonly role?: Role; readonly secret?: Secret }
  | { readonly op: 'ensure'; readonly who: Who; readonly role?: Role; readonly secret?: Secret }
  | { readonly op: 'delete'; readonly who: Who };

export type Request =
  | { readonly kind: 'single'; readonly item: Item; readonly ifMatch?: IfMatch }
  | { readonly kind: 'batch'; readonly items: readonly Item[]; readonly stopOnError: boolean };

/** What goes wrong between gateways and the store that they share; in real milliseconds. */
export interface Trouble {
  /** The store cannot be reached by one gateway, does not answer it, or fails over to a replica that lags. */
  readonly kind: 'cut' | 'silent' | 'failover';
  readonly who: 0 | 1;
  readonly atMs: number;
  readonly forMs: number;
}

export type Command =
  | {
      readonly kind: 'write';
      readonly request: Request;
      readonly faults: readonly Fault[];
      readonly prefer: 'wait' | 'async';
      readonly key: boolean;
      /** Sends the same request once more when the first one has ended; with a key only. */
      readonly repeat: boolean;
      /** What another party does before, to a user of whom the outcome is unknown. */
      readonly between?: 'add' | 'remove';
      /** Real milliseconds until the operation is cancelled. */
      readonly cancelMs?: number;
      /** Real milliseconds until the gateway dies; another one goes on. */
      readonly crashMs?: number;
      /** Which gateway is asked. */
      readonly via?: 0 | 1;
      readonly trouble?: Trouble;
    }
  | { readonly kind: 'pair'; readonly requests: readonly [Request, Request]; readonly faults: readonly Fault[] }
  | { readonly kind: 'rehearse'; readonly items: readonly Item[]; readonly stopOnError: boolean }
  | {
      readonly kind: 'other';
      readonly change: 'add' | 'remove' | 'password' | 'group';
      readonly who: Who;
      readonly role: Role;
      /** How long ago an added user was made, where nothing of this run contradicts it. */
      readonly agoMs: number;
    };

export interface Setup {
  readonly vendor: VendorName;
  /** Two gateways share a store. */
  readonly shared?: true;
  /** Users beside the pool, so that a listing has more than one page. */
  readonly others: number;
  readonly present: readonly boolean[];
  /** The error of the clock that users get their times from. */
  readonly skewMs: number;
  /** The error of the `Date` header, where it has one of its own. */
  readonly dateMs?: number;
  readonly quirks: Readonly<Record<string, unknown>>;
  /** Of the account; E-HPC only. */
  readonly listing?: 'sync' | 'async';
}

export interface Plan {
  readonly setup: Setup;
  readonly commands: readonly Command[];
}
