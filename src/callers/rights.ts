/** What callers may do: pure functions of the rights that they have. */
import type { Role } from '../model.js';
import { fitsGlob } from './globs.js';

/**
 * `read`: clusters, users, operations, the health of accounts. `write`: all writes, and the cancellation of own operations. `operate`: the
 * cancellation of any operation, and the details of failures. `metrics`, `audit`: what they name.
 */
export const VERBS = ['read', 'write', 'operate', 'metrics', 'audit'] as const;
export type Verb = (typeof VERBS)[number];

/** From the lowest to the highest. */
export const ROLES: readonly Role[] = ['member', 'admin', 'owner'];

export const isHigher = (role: Role, than: Role): boolean => ROLES.indexOf(role) > ROLES.indexOf(than);

export interface Right {
  /** Ids of clusters; `*` is any text in them. */
  readonly clusters: readonly string[];
  readonly verbs: readonly Verb[];
  /** Of users whom the caller may make, change and delete. */
  readonly roles: readonly Role[];
}

export type Rights = readonly Right[];

const covers = ({ clusters }: Right, clusterId: string): boolean => clusters.some((glob) => fitsGlob(glob, clusterId));

/** Whether one of these verbs is granted on the cluster. */
export const mayOn = (rights: Rights, verbs: readonly Verb[], clusterId: string): boolean =>
  rights.some((right) => verbs.some((verb) => right.verbs.includes(verb)) && covers(right, clusterId));

/** Whether one of these verbs is granted on some cluster. */
export const maySomewhere = (rights: Rights, verbs: readonly Verb[]): boolean =>
  rights.some((right) => verbs.some((verb) => right.verbs.includes(verb)));

/** Whether the verb is granted on all clusters that there are and will be. */
export const mayEverywhere = (rights: Rights, verb: Verb): boolean =>
  rights.some((right) => right.verbs.includes(verb) && right.clusters.includes('*'));

/** The highest role that the caller may grant on the cluster, or change and delete users of. Undefined without the right to write. */
export const highestRole = (rights: Rights, clusterId: string): Role | undefined => {
  const granted = rights
    .filter((right) => right.verbs.includes('write') && covers(right, clusterId))
    .flatMap(({ roles }) => roles);
  return ROLES.findLast((role) => granted.includes(role));
};

/** All that there is, for callers of a gateway that does not ask who they are. */
export const ALL_RIGHTS: Rights = [{ clusters: ['*'], verbs: VERBS, roles: ROLES }];
