export type ShanheRole = 'boss' | 'admin' | 'member';

/** Seeded names may have any form; the rule for names holds for addUser only (8.20). */
export interface ShanheUserSeed {
  username: string;
  role: ShanheRole;
  /** Also the gid: they are equal in every published sample (section 9). */
  uid?: number;
  userId?: string;
  createTime?: string;
  updateTime?: string;
  mod?: string;
  /** Without one, no password matches until it is changed. */
  password?: string;
}

/** `status` is one of 5.1: active, pending, stopped, suspended. */
export interface ShanheClusterSeed {
  id: string;
  name: string;
  type: 'hpc' | 'ehpc';
  status: string;
  users: ShanheUserSeed[];
  createTime?: string;
  mountPoint?: string;
}

export const DEFAULT_CLUSTERS: ShanheClusterSeed[] = [
  { id: 'ehpc-sim00001', name: 'simulated', type: 'ehpc', status: 'active', users: [{ username: 'admin', role: 'admin' }] },
];
