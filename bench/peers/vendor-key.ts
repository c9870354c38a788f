/** What all peers know of the simulated vendor. */
export const KEY = { accessKeyId: 'bench-key', accessKeySecret: 'bench-secret-0123456789', region: 'cn-hangzhou' } as const;
export const CLUSTER = 'ehpc-hz-bench00001';
export const VERSION = '2018-04-12';
