export type EhpcGroup = 'users' | 'wheel';

export interface EhpcUserSeed {
  name: string;
  group: EhpcGroup;
  uid?: number;
  /** ISO 8601 with a zone. */
  addTime?: string;
  /** Without one, no password matches until it is changed. */
  password?: string;
}

/** `status` is a state of section 5: running, exception, creating, init, uninit, releasing … */
export interface EhpcClusterSeed {
  id: string;
  name: string;
  status: string;
  users: EhpcUserSeed[];
  /** Default: the simulator's region. ListClusters shows only that one. */
  regionId?: string;
  createTime?: string;
  scheduler?: 'slurm' | 'pbs' | 'opengridscheduler' | 'deadline';
  accountType?: 'nis' | 'ldap';
}

export const DEFAULT_CLUSTERS: EhpcClusterSeed[] = [
  { id: 'ehpc-hz-sim0000001', name: 'simulated', status: 'running', users: [{ name: 'alice.w', group: 'wheel' }] },
];
