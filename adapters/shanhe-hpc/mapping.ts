/** Wire ↔ model, pure. What maps to what: docs/vendors/. */
import type { JobState, VendorCluster, VendorUser } from '../../src/adapter.js';
import type { ClusterState, Role } from '../../src/model.js';
import { toUtc } from '../../src/time.js';
import { count, isObject, text } from '../../src/wire.js';
import type { HpcCluster, HpcJob, HpcUser } from './types.js';

const ROLES: ReadonlyMap<string, Role> = new Map(Object.entries<Role>({ member: 'member', admin: 'admin', boss: 'owner' }));

const STATES: ReadonlyMap<string, ClusterState> = new Map(
  Object.entries<ClusterState>({
    active: 'ready',
    pending: 'provisioning',
    stopped: 'stopped',
    poweroff: 'stopped',
    poweroffed: 'stopped',
    'powered off': 'stopped',
    powered_off: 'stopped',
    suspended: 'stopped',
    ceased: 'deleting',
    deleted: 'deleting',
  }),
);

/** Null for a row without a name. */
export const toUser = (user: HpcUser): VendorUser | null => {
  const username = text(user.username);
  if (username === null) return null;
  const role = ROLES.get(text(user.role) ?? '');
  return {
    username,
    role: role ?? 'member',
    ...(role === undefined && { isRoleUnknown: true }),
    group: null,
    uid: count(user.uid_number),
    gid: count(user.gid_number),
    mountPoint: text(user.nas_mount_point ?? user.nas_mout_point),
    createdAt: toUtc(user.create_time),
    updatedAt: toUtc(user.update_time ?? user.upate_time),
    userId: text(user.hpcuser_id),
    attributes: { ...user },
  };
};

/** The fields stand beside `app_cluster` or inside it, by edition. Null for a row without an id. */
export const toCluster = (item: HpcCluster, zone: string): VendorCluster | null => {
  const inner: HpcCluster = isObject(item.app_cluster) ? item.app_cluster : {};
  const field = (name: keyof HpcCluster): string | null => text(item[name]) ?? text(inner[name]);
  const id = field('cluster_id');
  if (id === null) return null;
  const vendorState = field('cluster_status') ?? field('status');
  return {
    id,
    name: field('cluster_name'),
    state: STATES.get(vendorState?.toLowerCase() ?? '') ?? 'unknown',
    vendorState,
    type: field('cluster_type') ?? /^[a-z]+(?=-)/.exec(id)?.[0] ?? null,
    region: null,
    zone,
    createdAt: toUtc(field('create_time')),
  };
};

/** The documented word, and those that QingCloud has for jobs that are not over. */
const PENDING: ReadonlySet<string | undefined> = new Set(['pending', 'working', 'running', 'processing', 'queued', 'executing']);

/** A word that nobody has explained says nothing about the job. */
export const toJobState = (job: HpcJob | undefined): JobState => {
  if (job === undefined) return { state: 'unknown' };
  const status = text(job.status)?.toLowerCase();
  switch (status) {
    case 'successful':
      return { state: 'succeeded' };
    case 'failed':
      return { state: 'failed', code: text(job.error_codes) };
    default:
      return { state: PENDING.has(status) ? 'pending' : 'unknown' };
  }
};
