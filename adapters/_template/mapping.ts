/** Wire ↔ model, pure. */
import type { NewUser, VendorCluster, VendorUser } from '../../src/adapter.js';
import type { ClusterState } from '../../src/model.js';
import { toUtc } from '../../src/time.js';
import { badResponse, count, text } from '../../src/wire.js';
import type { ClusterRow, UserRow, WritableUser } from './types.js';

// EDIT: every state that the vendor names; all others are `unknown`.
const STATES: ReadonlyMap<string, ClusterState> = new Map([
  ['creating', 'provisioning'],
  ['active', 'ready'],
  ['stopped', 'stopped'],
  ['failed', 'error'],
  ['deleting', 'deleting'],
]);

// EDIT: field by field; null for what the vendor does not tell, never a guess.
export const toUser = (row: UserRow): VendorUser => {
  const username = text(row.login);
  if (username === null) throw badResponse('a user without login');
  return {
    username,
    role: row.is_admin === true ? 'admin' : 'member',
    group: null,
    uid: count(row.uid),
    gid: count(row.gid),
    mountPoint: null,
    createdAt: toUtc(row.created),
    updatedAt: null,
    userId: text(row.id),
    attributes: { ...row },
  };
};

export const toWire = ({ username, password, role }: NewUser): WritableUser => ({
  login: username,
  password,
  is_admin: role === 'admin',
});

export const toCluster = (row: ClusterRow): VendorCluster => {
  const id = text(row.id);
  if (id === null) throw badResponse('a cluster without id');
  const vendorState = text(row.status);
  return {
    id,
    name: text(row.name),
    state: STATES.get(vendorState?.toLowerCase() ?? '') ?? 'unknown',
    vendorState,
    type: null,
    region: null,
    zone: null,
    createdAt: null,
  };
};
