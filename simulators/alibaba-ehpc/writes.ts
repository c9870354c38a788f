import { Refusal } from '../kit/index.js';
import type { Timers } from '../kit/timers.js';
import { type Entry, readEntries } from './entries.js';
import { refuse } from './errors.js';
import { checkEntries, groupOf, isAsync, nameOf, passwordOf } from './rules.js';
import type { EhpcCluster, EhpcState } from './state.js';
import type { EhpcCall } from './urls.js';

/** A batch whose every entry passed the rules, ready to be applied in whole or in part. */
interface Batch {
  readonly size: number;
  apply(cluster: EhpcCluster, from: number, to: number): void;
}

interface Write {
  /** What the vendor says when the cluster's agent gave up half-way. */
  readonly failure: string;
  prepare(state: EhpcState, entries: readonly Entry[]): Batch;
}

const batch = <Item>(items: readonly Item[], run: (cluster: EhpcCluster, items: readonly Item[]) => void): Batch => ({
  size: items.length,
  apply: (cluster, from, to) => run(cluster, items.slice(from, to)),
});

/** 4a: the write operations and the sub-fields each demands (9.11: all of them). */
export const WRITES: Record<string, Write> = {
  AddUsers: {
    failure: 'AgentError.Account.UserAddFailure',
    prepare: (state, entries) =>
      batch(
        entries.map((entry, i) => ({ name: nameOf(entry, i), group: groupOf(entry, i), password: passwordOf(entry, i) })),
        state.add,
      ),
  },
  DeleteUsers: {
    failure: 'AgentError.Account.UserDeleteFailure',
    prepare: (state, entries) => batch(entries.map(nameOf), state.remove),
  },
  ModifyUserGroups: {
    failure: 'AgentError.Account.UserModifyGroupFailure',
    prepare: (state, entries) =>
      batch(
        entries.map((entry, i) => ({ name: nameOf(entry, i), group: groupOf(entry, i) })),
        state.regroup,
      ),
  },
  ModifyUserPasswords: {
    failure: 'AgentError.Account.UserChangePasswordFailure',
    prepare: (state, entries) =>
      batch(
        entries.map((entry, i) => ({ name: nameOf(entry, i), password: passwordOf(entry, i) })),
        state.repassword,
      ),
  },
};

export interface WriteTools {
  readonly state: EhpcState;
  readonly timers: Timers;
  readonly asyncWriteMs: number;
}

/** A later refusal has nobody to tell: no schema returns an id for `Async=true` (4a). */
const quietly = (run: () => void) => () => {
  try {
    run();
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
  }
};

/** Rules first, then the cluster, then all names, then the effect. Success is an empty body with a RequestId. */
export const runWrite = (write: Write, call: EhpcCall, clusterId: string, half: boolean, tools: WriteTools): void => {
  const { state, timers, asyncWriteMs } = tools;
  const later = isAsync(call.values);
  const entries = readEntries(call.values);
  checkEntries(entries);
  const prepared = write.prepare(state, entries);
  const cluster = state.runningCluster(clusterId);
  if (half) {
    prepared.apply(cluster, 0, Math.floor(prepared.size / 2));
    refuse(write.failure, clusterId);
  }
  const apply = () => prepared.apply(cluster, 0, prepared.size);
  if (later) timers.after(asyncWriteMs, quietly(apply));
  else apply();
};
