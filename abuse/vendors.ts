/** The simulators of both vendors in a process of their own, with lists long enough to be a burden. */
import { startAlibabaEhpc } from '../simulators/alibaba-ehpc/index.js';
import { startShanheHpc } from '../simulators/shanhe-hpc/index.js';

const USERS = 1_000;
export const EHPC_CLUSTER = 'ehpc-hz-abuse00001';
export const SHANHE_CLUSTER = 'ehpc-abuse001';
/** Users of the cluster that the legitimate client writes to. */
export const WRITTEN_USERS = 20;

const numbered = (count: number, prefix: string): string[] =>
  Array.from({ length: count }, (_, at) => `${prefix}${String(at).padStart(4, '0')}`);

export interface Vendors {
  readonly accounts: object;
}

const start = async (): Promise<Vendors> => {
  const users = numbered(USERS, 'user.').map((name) => ({ name, group: 'users' as const }));
  const ehpc = await startAlibabaEhpc({ clusters: [{ id: EHPC_CLUSTER, name: 'abuse', status: 'running', users }] });
  const members = numbered(WRITTEN_USERS, 'u').map((username) => ({ username, role: 'member' as const }));
  const shanhe = await startShanheHpc({
    clusters: [{ id: SHANHE_CLUSTER, name: 'abuse', type: 'ehpc', status: 'active', users: members }],
  });
  const { accessKeyId, accessKeySecret, region, endpoint } = ehpc;
  return {
    accounts: {
      ali: { vendor: 'alibaba-ehpc', region, endpoint, listing: 'sync', credentials: { accessKeyId, accessKeySecret } },
      jinan: {
        vendor: 'shanhe-hpc',
        // The attacks are for the gateway, not for what a vendor would take.
        budget: { calls: 1_000_000_000, perSeconds: 3_600 },
        endpoint: shanhe.endpoint,
        zone: shanhe.zone,
        credentials: { accessKeyId: shanhe.accessKeyId, secretAccessKey: shanhe.secretAccessKey },
      },
    },
  };
};

if (process.send !== undefined && process.argv[2] === 'serve') {
  process.on('disconnect', () => process.exit(1));
  process.send(await start());
}
