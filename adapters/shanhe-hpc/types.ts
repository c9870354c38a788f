/** Wire shapes as Shanhe spells them, only what is read. */
import type { Secret } from '../../src/secret.js';

/** https://docsv4embed.qingcloud.com/user_guide/compute/hpc/api/users/users */
export interface HpcUser {
  readonly username?: unknown;
  readonly role?: unknown;
  /** Text here, numbers elsewhere in the vendor's documents. */
  readonly uid_number?: unknown;
  readonly gid_number?: unknown;
  readonly nas_mount_point?: unknown;
  readonly nas_mout_point?: unknown;
  readonly create_time?: unknown;
  readonly update_time?: unknown;
  readonly upate_time?: unknown;
  readonly hpcuser_id?: unknown;
  readonly cluster_id?: unknown;
}

/** https://docsv3.qingcloud.com/compute/hpc/api/cluster/listcluster/ */
export interface HpcCluster {
  readonly cluster_id?: unknown;
  readonly cluster_name?: unknown;
  readonly cluster_type?: unknown;
  readonly cluster_status?: unknown;
  readonly status?: unknown;
  readonly create_time?: unknown;
  /** The printed example nests all fields in here. */
  readonly app_cluster?: unknown;
}

/** https://docsv3.qingcloud.com/compute/hpc/api/logs/operation */
export interface HpcJob {
  readonly job_id?: unknown;
  /** `pending`, `successful`, `failed`. */
  readonly status?: unknown;
  readonly error_codes?: unknown;
}

export interface WritableUser {
  readonly username: string;
  readonly password: Secret;
  readonly mod?: string;
}
