/** Simulated E-HPC in a process of its own: `USERS` users, `LATENCY_MS` a call, clusters by `CLUSTERS`. */
import { startAlibabaEhpc } from '../../simulators/alibaba-ehpc/index.js';
import { CLUSTER, KEY } from './vendor-key.js';

const { USERS = '125', LATENCY_MS = '0' } = process.env;

const simulator = await startAlibabaEhpc({
  ...KEY,
  latencyMs: Number(LATENCY_MS),
  clusters: [
    {
      id: CLUSTER,
      name: 'bench',
      status: 'running',
      users: Array.from({ length: Number(USERS) }, (_, index) => ({
        name: `user.${String(index).padStart(6, '0')}`,
        group: 'users' as const,
      })),
    },
  ],
});
console.log(simulator.endpoint);
