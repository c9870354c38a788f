import type { Effect } from '../kit/index.js';
import { opensWith, sealPassword } from '../kit/passwords.js';
import { refuse } from './errors.js';
import type { EhpcClusterSeed, EhpcGroup } from './seed.js';

export interface EhpcUser {
  readonly name: string;
  readonly uid: number;
  readonly addTime: string;
  group: EhpcGroup;
  sealed: string | null;
}

export interface EhpcCluster {
  readonly seed: EhpcClusterSeed;
  /** Insertion order is listing order. */
  readonly users: Map<string, EhpcUser>;
  nextUid: number;
}

export interface NewUser {
  readonly name: string;
  readonly group: EhpcGroup;
  readonly password: string;
}

export interface EhpcState {
  readonly clusters: ReadonlyMap<string, EhpcCluster>;
  /** 11.2: 404 for an unknown cluster, 403 for one that is not running. */
  runningCluster(clusterId: string): EhpcCluster;
  /** Each write first checks every name (406), then applies all of them. */
  add(cluster: EhpcCluster, users: readonly NewUser[]): void;
  remove(cluster: EhpcCluster, names: readonly string[]): void;
  regroup(cluster: EhpcCluster, changes: readonly { name: string; group: EhpcGroup }[]): void;
  repassword(cluster: EhpcCluster, changes: readonly { name: string; password: string }[]): void;
}

/** Section 11.5: the usual Linux gids of both groups. */
export const GID: Record<EhpcGroup, number> = { users: 100, wheel: 10 };
const FIRST_UID = 1000;

const plant = (seed: EhpcClusterSeed, now: Date): EhpcCluster => {
  const users = new Map<string, EhpcUser>();
  let nextUid = FIRST_UID;
  for (const { name, group, uid = nextUid, addTime = now.toISOString(), password } of seed.users) {
    users.set(name, { name, group, uid, addTime, sealed: password === undefined ? null : sealPassword(password) });
    nextUid = Math.max(nextUid, uid + 1);
  }
  return { seed, users, nextUid };
};

type Log = (clusterId: string, username: string, effect: Effect['effect']) => void;

export const createState = (seeds: readonly EhpcClusterSeed[], unknownUser: string, now: () => Date, log: Log): EhpcState => {
  const clusters = new Map(seeds.map((seed) => [seed.id, plant(seed, now())]));

  const known = ({ users }: EhpcCluster, name: string): EhpcUser => users.get(name) ?? refuse(unknownUser, name);
  const checkAll = (cluster: EhpcCluster, items: readonly { name: string }[]) => {
    for (const { name } of items) known(cluster, name);
  };

  return {
    clusters,
    runningCluster: (clusterId) => {
      const cluster = clusters.get(clusterId) ?? refuse('ClusterNotFound');
      return cluster.seed.status === 'running' ? cluster : refuse('InvalidClusterStatus');
    },
    add: (cluster, users) => {
      for (const { name } of users) if (cluster.users.has(name)) refuse('AgentError.Account.UserAlreadyExist', name);
      for (const { name, group, password } of users) {
        const user = { name, group, uid: cluster.nextUid, addTime: now().toISOString(), sealed: sealPassword(password) };
        cluster.nextUid += 1;
        cluster.users.set(name, user);
        log(cluster.seed.id, name, 'created');
      }
    },
    remove: (cluster, names) => {
      checkAll(
        cluster,
        names.map((name) => ({ name })),
      );
      for (const name of names) {
        cluster.users.delete(name);
        log(cluster.seed.id, name, 'deleted');
      }
    },
    regroup: (cluster, changes) => {
      checkAll(cluster, changes);
      for (const { name, group } of changes) {
        known(cluster, name).group = group;
        log(cluster.seed.id, name, 'role_changed');
      }
    },
    repassword: (cluster, changes) => {
      checkAll(cluster, changes);
      for (const { name, password } of changes) {
        known(cluster, name).sealed = sealPassword(password);
        log(cluster.seed.id, name, 'password_changed');
      }
    },
  };
};

export const passwordMatches = (state: EhpcState, clusterId: string, name: string, password: string): boolean =>
  opensWith(state.clusters.get(clusterId)?.users.get(name)?.sealed ?? null, password);

export const usersOf = (state: EhpcState, clusterId: string) => {
  const cluster = state.clusters.get(clusterId);
  if (cluster === undefined) return null;
  return [...cluster.users.values()].map(({ name, group, uid, addTime }) => ({ name, group, uid, gid: GID[group], addTime }));
};
