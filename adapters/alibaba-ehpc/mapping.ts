/** Wire ↔ model, pure. What maps to what: docs/vendors/. */
import type { NewUser, VendorCluster, VendorUser } from '../../src/adapter.js';
import type { Params } from '../../src/encoding.js';
import { GatewayError } from '../../src/errors.js';
import type { ClusterState, Role } from '../../src/model.js';
import { toUtc } from '../../src/time.js';
import { count, text } from '../../src/wire.js';
import type { ClusterInfoSimple, UserInfo, WritableUser } from './types.js';

const ROLE_OF_GROUP: ReadonlyMap<string, Role> = new Map(Object.entries<Role>({ users: 'member', wheel: 'admin' }));
const GROUP_OF_ROLE = { member: 'users', admin: 'wheel' } as const;

const STATES: ReadonlyMap<string, ClusterState> = new Map(
  Object.entries<ClusterState>({
    uninit: 'provisioning',
    creating: 'provisioning',
    init: 'provisioning',
    initing: 'provisioning',
    pending: 'provisioning',
    running: 'ready',
    exception: 'error',
    releasing: 'deleting',
    stopping: 'stopped',
    stopped: 'stopped',
  }),
);

/** @throws invalid_user for a role that E-HPC has no group for: no other group is taken in its place */
export const groupOf = (role: Role): 'users' | 'wheel' => {
  if (role === 'owner') throw new GatewayError('invalid_user', 'E-HPC has no group for the role owner.', { effect: 'none' });
  return GROUP_OF_ROLE[role];
};

export const toWire = ({ username, password, role }: NewUser): WritableUser => ({
  Name: username,
  Group: groupOf(role),
  Password: password,
});

/** `User.1.Name=…&User.1.Group=…`: the vendor's repeat list, counted from 1. */
export const repeatList = (users: readonly Params[]): Record<string, string> =>
  Object.fromEntries(
    users.flatMap((user, index) =>
      Object.entries(user).map(([field, value]): [string, string] => [`User.${index + 1}.${field}`, value]),
    ),
  );

/** Null for a row without a name. @param timeZone zone of an AddTime that names none */
export const toUser = (info: UserInfo, timeZone: string): VendorUser | null => {
  const username = text(info.Name);
  if (username === null) return null;
  const group = text(info.Group);
  const role = ROLE_OF_GROUP.get(group ?? '');
  return {
    username,
    role: role ?? 'member',
    ...(role === undefined && { isRoleUnknown: true }),
    group,
    uid: count(info.UserId),
    gid: count(info.GroupId),
    mountPoint: null,
    createdAt: toUtc(info.AddTime, timeZone),
    updatedAt: null,
    userId: null,
    attributes: { ...info },
  };
};

/** Null for a row without an id. */
export const toListed = (info: ClusterInfoSimple, region: string): VendorCluster | null => {
  const id = text(info.Id);
  return id === null ? null : toCluster(info, region, id);
};

/** @param id the id asked for; `DescribeCluster` answers another kind of id */
export const toCluster = (info: ClusterInfoSimple, region: string, id: string): VendorCluster => {
  const vendorState = text(info.Status);
  return {
    id,
    name: text(info.Name),
    state: STATES.get(vendorState?.toLowerCase() ?? '') ?? 'unknown',
    vendorState,
    type: null,
    region: text(info.RegionId) ?? region,
    zone: text(info.ZoneId),
    createdAt: toUtc(info.CreateTime),
  };
};
