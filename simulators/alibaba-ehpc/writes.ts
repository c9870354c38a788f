import type { Fault } from '../kit/index.js';
import type { Timers } from '../kit/timers.js';
import { applyBatch, refusalOf, type Step } from './batch.js';
import { type Entry, readEntries } from './entries.js';
import { refuse } from './errors.js';
import type { EhpcQuirks } from './quirks.js';
import { checkEntries, groupOf, isAsync, nameOf, passwordOf } from './rules.js';
import type { EhpcState } from './state.js';
import type { EhpcCall } from './urls.js';

interface Write {
  /** The vendor's code when the cluster's agent stopped half-way. */
  readonly failure: string;
  /** One step an entry; refuses entries that break the rules. */
  prepare(state: EhpcState, entries: readonly Entry[], quirks: EhpcQuirks): Step[];
}

/** A change of a user that must exist. */
const onUser = (state: EhpcState, name: string, apply: Step['apply']): Step => ({
  check: (cluster) => {
    state.known(cluster, name);
  },
  apply,
});

/** 4a: the write operations and the sub-fields each demands (9.11: all of them). */
export const WRITES: Record<string, Write> = {
  AddUsers: {
    failure: 'AgentError.Account.UserAddFailure',
    prepare: (state, entries, { names }) =>
      entries
        .map((entry, i) => ({ name: nameOf(entry, i), group: groupOf(entry, i), password: passwordOf(entry, i) }))
        .map((user) => (names === 'small' ? { ...user, name: user.name.toLowerCase() } : user))
        .map((user) => ({
          check: (cluster) => state.mustBeFree(cluster, user.name),
          apply: (cluster) => state.add(cluster, user),
        })),
  },
  DeleteUsers: {
    failure: 'AgentError.Account.UserDeleteFailure',
    prepare: (state, entries) => entries.map(nameOf).map((name) => onUser(state, name, (cluster) => state.remove(cluster, name))),
  },
  ModifyUserGroups: {
    failure: 'AgentError.Account.UserModifyGroupFailure',
    prepare: (state, entries) =>
      entries
        .map((entry, i) => ({ name: nameOf(entry, i), group: groupOf(entry, i) }))
        .map(({ name, group }) => onUser(state, name, (cluster) => state.regroup(cluster, name, group))),
  },
  ModifyUserPasswords: {
    failure: 'AgentError.Account.UserChangePasswordFailure',
    prepare: (state, entries) =>
      entries
        .map((entry, i) => ({ name: nameOf(entry, i), password: passwordOf(entry, i) }))
        .map(({ name, password }) => onUser(state, name, (cluster) => state.repassword(cluster, name, password))),
  },
};

export interface WriteTools {
  readonly state: EhpcState;
  readonly timers: Timers;
  readonly asyncWriteMs: number;
  readonly quirks: EhpcQuirks;
  readonly now: () => Date;
  /** Until when a write keeps others away, by cluster, in milliseconds since 1970. */
  readonly busyUntil: Map<string, number>;
}

const occupy = (clusterId: string, { quirks, now, busyUntil }: WriteTools): void => {
  const at = now().getTime();
  if (at < (busyUntil.get(clusterId) ?? 0)) refuse('ConflictOpt');
  busyUntil.set(clusterId, at + quirks.writeMs);
};

/** Rules first, then the cluster, then all names, then the effect. Success is an empty body with a RequestId. */
export const runWrite = (write: Write, call: EhpcCall, clusterId: string, fault: Fault | null, tools: WriteTools): void => {
  const { state, timers, asyncWriteMs, quirks } = tools;
  const later = isAsync(call.values);
  const entries = readEntries(call.values);
  checkEntries(entries);
  const steps = write.prepare(state, entries, quirks);
  const cluster = state.runningCluster(clusterId);
  occupy(clusterId, tools);
  const apply = applyBatch[quirks.batch];
  if (fault?.kind === 'half_batch') {
    apply(cluster, steps.slice(0, Math.floor(steps.length / 2)));
    refuse(write.failure, clusterId);
  }
  // A later refusal is never reported: no schema returns an id for `Async=true` (4a).
  if (later) timers.after(asyncWriteMs, () => void refusalOf(() => apply(cluster, steps)));
  else apply(cluster, steps);
};
