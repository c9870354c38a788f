/** Wire ↔ model, pure. */
import type { NewUser, VendorCluster, VendorUser } from '../../src/adapter.js';
import type { ClusterState } from '../../src/model.js';
import { toUtc } from '../../src/time.js';
import { count, text } from '../../src/wire.js';
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
// Null for a row without a name.
export const toUser = (row: UserRow): VendorUser | null => {
  const username = text(row.login);
  if (username === null) return null;
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

/** Null for a row without an id. */
export const toCluster = (row: ClusterRow): VendorCluster | null => {
  const id = text(row.id);
  if (id === null) return null;
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
