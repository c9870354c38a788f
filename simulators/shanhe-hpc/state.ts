import type { Effect } from '../kit/index.js';
import { hashPassword, matchesHash } from '../kit/passwords.js';
import type { ShanheClusterSeed, ShanheRole, ShanheUserSeed } from './seed.js';

export interface ShanheUser {
  readonly username: string;
  readonly userId: string;
  role: ShanheRole;
  readonly uid: number;
  readonly mod: string | null;
  readonly createTime: string;
  updateTime: string;
  passwordHash: string | null;
}

export interface ShanheCluster {
  readonly seed: ShanheClusterSeed;
  /** Insertion order is listing order. */
  readonly users: Map<string, ShanheUser>;
  nextUid: number;
}

export interface NewUser {
  readonly username: string;
  readonly password?: string | undefined;
  readonly mod?: string | null;
  /** Default 'member': no operation sets a role, so an added user is a member of its owner's account (section 9, inferred). */
  readonly role?: ShanheRole;
  /** Creation time; default: now. */
  readonly at?: Date;
}

export interface ShanheState {
  readonly owner: string;
  readonly clusters: ReadonlyMap<string, ShanheCluster>;
  /** False when the name is taken. */
  add(cluster: ShanheCluster, user: NewUser): boolean;
  /** False when there is no such user. */
  remove(cluster: ShanheCluster, username: string): boolean;
  repassword(cluster: ShanheCluster, user: ShanheUser, password: string): void;
  changeRole(cluster: ShanheCluster, user: ShanheUser, role: ShanheRole): void;
}

const FIRST_UID = 41_500;
const CREATED = '2021-08-17T09:12:40Z';

/** Users, clusters and operations carry seconds and a Z (8.25). */
export const shortTime = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;

const userOf = (seed: ShanheUserSeed, uid: number, owner: string): ShanheUser => ({
  username: seed.username,
  userId: seed.userId ?? owner,
  role: seed.role,
  uid,
  mod: seed.mod ?? null,
  createTime: seed.createTime ?? CREATED,
  updateTime: seed.updateTime ?? seed.createTime ?? CREATED,
  passwordHash: seed.password === undefined ? null : hashPassword(seed.password),
});

const createCluster = (seed: ShanheClusterSeed, owner: string): ShanheCluster => {
  const users = new Map<string, ShanheUser>();
  let nextUid = FIRST_UID;
  for (const user of seed.users) {
    const { uid = nextUid } = user;
    users.set(user.username, userOf(user, uid, owner));
    nextUid = Math.max(nextUid, uid + 1);
  }
  return { seed, users, nextUid };
};

type Log = (clusterId: string, username: string, effect: Effect['effect']) => void;

export const createState = (seeds: readonly ShanheClusterSeed[], owner: string, now: () => Date, log: Log): ShanheState => ({
  owner,
  clusters: new Map(seeds.map((seed) => [seed.id, createCluster(seed, owner)])),
  add: (cluster, { username, password, mod = null, role = 'member', at = now() }) => {
    if (cluster.users.has(username)) return false;
    const createTime = shortTime(at);
    const passwordHash = password === undefined ? null : hashPassword(password);
    const times = { createTime, updateTime: createTime };
    cluster.users.set(username, { username, userId: owner, role, uid: cluster.nextUid, mod, ...times, passwordHash });
    cluster.nextUid += 1;
    log(cluster.seed.id, username, 'created');
    return true;
  },
  remove: (cluster, username) => {
    if (!cluster.users.delete(username)) return false;
    log(cluster.seed.id, username, 'deleted');
    return true;
  },
  repassword: (cluster, user, password) => {
    user.passwordHash = hashPassword(password);
    user.updateTime = shortTime(now());
    log(cluster.seed.id, user.username, 'password_changed');
  },
  changeRole: (cluster, user, role) => {
    user.role = role;
    user.updateTime = shortTime(now());
    log(cluster.seed.id, user.username, 'role_changed');
  },
});

export const passwordMatches = (state: ShanheState, clusterId: string, username: string, password: string): boolean =>
  matchesHash(state.clusters.get(clusterId)?.users.get(username)?.passwordHash ?? null, password);

export const usersOf = (state: ShanheState, clusterId: string) => {
  const cluster = state.clusters.get(clusterId);
  if (cluster === undefined) return null;
  return [...cluster.users.values()].map(({ passwordHash: _sealed, ...user }) => user);
};
