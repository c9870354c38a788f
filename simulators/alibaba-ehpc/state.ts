import type { Effect } from '../kit/index.js';
import { hashPassword, matchesHash } from '../kit/passwords.js';
import { refuse } from './errors.js';
import type { EhpcClusterSeed, EhpcGroup } from './seed.js';

export interface EhpcUser {
  readonly name: string;
  readonly uid: number;
  readonly addTime: string;
  group: EhpcGroup;
  passwordHash: string | null;
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
  /** Without one, no password matches until it is changed. */
  readonly password?: string | undefined;
  /** Default: now. */
  readonly addTime?: Date;
}

export interface EhpcState {
  readonly clusters: ReadonlyMap<string, EhpcCluster>;
  /** 11.2: 404 for an unknown cluster, 403 for one that is not running. */
  runningCluster(clusterId: string): EhpcCluster;
  /** Refuses a name that is taken (406). */
  mustBeFree(cluster: EhpcCluster, name: string): void;
  /** Refuses a name that is unknown (406). */
  known(cluster: EhpcCluster, name: string): EhpcUser;
  add(cluster: EhpcCluster, user: NewUser): void;
  remove(cluster: EhpcCluster, name: string): void;
  regroup(cluster: EhpcCluster, name: string, group: EhpcGroup): void;
  repassword(cluster: EhpcCluster, name: string, password: string): void;
}

/** Section 11.5: the usual Linux gids of both groups. */
export const GID: Record<EhpcGroup, number> = { users: 100, wheel: 10 };
const FIRST_UID = 1000;

const createCluster = (seed: EhpcClusterSeed, now: Date): EhpcCluster => {
  const users = new Map<string, EhpcUser>();
  let nextUid = FIRST_UID;
  for (const { name, group, uid = nextUid, addTime = now.toISOString(), password } of seed.users) {
    users.set(name, { name, group, uid, addTime, passwordHash: password === undefined ? null : hashPassword(password) });
    nextUid = Math.max(nextUid, uid + 1);
  }
  return { seed, users, nextUid };
};

type Log = (clusterId: string, username: string, effect: Effect['effect']) => void;

export const createState = (seeds: readonly EhpcClusterSeed[], unknownUser: string, now: () => Date, log: Log): EhpcState => {
  const clusters = new Map(seeds.map((seed) => [seed.id, createCluster(seed, now())]));

  const mustBeFree = ({ users }: EhpcCluster, name: string) => {
    if (users.has(name)) refuse('AgentError.Account.UserAlreadyExist', name);
  };
  const known = ({ users }: EhpcCluster, name: string): EhpcUser => users.get(name) ?? refuse(unknownUser, name);

  return {
    clusters,
    runningCluster: (clusterId) => {
      const cluster = clusters.get(clusterId) ?? refuse('ClusterNotFound');
      return cluster.seed.status === 'running' ? cluster : refuse('InvalidClusterStatus');
    },
    mustBeFree,
    known,
    add: (cluster, { name, group, password, addTime = now() }) => {
      mustBeFree(cluster, name);
      const passwordHash = password === undefined ? null : hashPassword(password);
      cluster.users.set(name, { name, group, uid: cluster.nextUid, addTime: addTime.toISOString(), passwordHash });
      cluster.nextUid += 1;
      log(cluster.seed.id, name, 'created');
    },
    remove: (cluster, name) => {
      known(cluster, name);
      cluster.users.delete(name);
      log(cluster.seed.id, name, 'deleted');
    },
    regroup: (cluster, name, group) => {
      known(cluster, name).group = group;
      log(cluster.seed.id, name, 'role_changed');
    },
    repassword: (cluster, name, password) => {
      known(cluster, name).passwordHash = hashPassword(password);
      log(cluster.seed.id, name, 'password_changed');
    },
  };
};

export const passwordMatches = (state: EhpcState, clusterId: string, name: string, password: string): boolean =>
  matchesHash(state.clusters.get(clusterId)?.users.get(name)?.passwordHash ?? null, password);

export const usersOf = (state: EhpcState, clusterId: string) => {
  const cluster = state.clusters.get(clusterId);
  if (cluster === undefined) return null;
  return [...cluster.users.values()].map(({ name, group, uid, addTime }) => ({ name, group, uid, gid: GID[group], addTime }));
};
