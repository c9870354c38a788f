/** What the audit trail keeps: who asked for which change, and what became of it. */
import { hash as digest } from 'node:crypto';

/** What is to be recorded. */
export interface AuditEvent {
  /**
   * `accepted`: a write was stored, and will be made. `refused`: it was turned away, and nothing was begun. `settled`: what became of things by
   * one call to the vendor, or without one.
   */
  readonly type: 'accepted' | 'refused' | 'settled';
  /** Null where nobody asks who callers are, or where the request named nobody. */
  readonly caller: string | null;
  /** Where the request came from. */
  readonly address: string | null;
  readonly requestId: string;
  readonly clusterId: string | null;
  readonly vendor: string | null;
  /** The operation of the API. */
  readonly action: string;
  /** The things that it is about, each with its status where that is known. */
  readonly things: readonly { readonly name: string; readonly status: string | null }[];
  readonly operationId: string | null;
  readonly vendorRequestIds: readonly string[];
  /** Why it was refused. */
  readonly code: string | null;
}

/** A link of a chain. */
export interface AuditRecord extends AuditEvent {
  readonly id: string;
  /** ISO 8601 in UTC. */
  readonly at: string;
  readonly chain: string;
  /** From 1, without gaps. */
  readonly seq: number;
  /** Over the record and the mac of the one before it. */
  readonly mac: string;
}

/** The end of a chain; or, with a seal, the last record of it that was removed when its time was over. */
export interface LinkRecord {
  readonly seq: number;
  readonly mac: string;
  readonly seal?: string;
}

/** The first record of a chain follows this. */
export const START: LinkRecord = { seq: 0, mac: '' };

const CHAIN_LENGTH = 16;
const SEQ_LENGTH = 10;
const TIME_LENGTH = 12;

const hash = (text: string): string => digest('sha256', text, 'hex').slice(0, CHAIN_LENGTH);

const hex = (value: number, length: number): string => Math.max(0, Math.floor(value)).toString(16).padStart(length, '0');

/** Ids sort by time. */
export const idOf = (ms: number, chain: string, seq: number): string =>
  `au_${hex(ms, TIME_LENGTH)}${hash(chain)}${hex(seq, SEQ_LENGTH)}`;

/** Where ids of that time begin. */
export const idsFrom = (ms: number): string => `au_${hex(ms, TIME_LENGTH)}`;

export const keyOf = {
  head: (chain: string) => `audit-head:${chain}`,
  /** What was removed of it. */
  base: (chain: string) => `audit-base:${chain}`,
  /** How far its records were handed to collectors. */
  collected: (chain: string) => `audit-collected:${chain}`,
  record: (chain: string, seq: number) => `audit:${hash(chain)}:${seq}`,
  byId: (id: string) => {
    const rest = id.slice(3 + TIME_LENGTH);
    return `audit:${rest.slice(0, CHAIN_LENGTH)}:${Number.parseInt(rest.slice(CHAIN_LENGTH), 16)}`;
  },
};

/** The chain of what one process accepts and refuses, and that of what is settled in a write domain, by whichever process holds it. */
export const chainOf = {
  process: (process: string) => `process ${process}`,
  domain: (domain: string) => `domain ${domain}`,
};

/** All records, each under several prefixes; and the names of all chains. */
export const INDEX = 'audit';
export const CHAINS = 'audit-chains';

/** What members of the index begin with. */
export const prefixOf = {
  all: () => 't ',
  cluster: (id: string) => `c ${hash(id)} `,
  caller: (id: string) => `k ${hash(id)} `,
  name: (name: string) => `n ${hash(name)} `,
  operation: (id: string) => `o ${id} `,
};

/** Where the index has the record. */
export const placesOf = ({ id, clusterId, caller, operationId, things }: AuditRecord): string[] => [
  `${prefixOf.all()}${id}`,
  ...(clusterId === null ? [] : [`${prefixOf.cluster(clusterId)}${id}`]),
  ...(caller === null ? [] : [`${prefixOf.caller(caller)}${id}`]),
  ...(operationId === null ? [] : [`${prefixOf.operation(operationId)}${id}`]),
  ...[...new Set(things.map(({ name }) => name))].map((name) => `${prefixOf.name(name)}${id}`),
];
