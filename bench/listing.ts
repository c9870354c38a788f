/** 1,000 users of an E-HPC cluster whose vendor takes 50 ms a call: the gateway in one request, the official client page by page. */
import { startAlibabaEhpc } from '../simulators/alibaba-ehpc/index.js';
import { compare, table } from './measure.js';
import { officialClient } from './official.js';
import { serve } from './serve.js';

const USERS = 1000;
const PAGE = 50;
const LATENCY_MS = 50;
const CLUSTER = 'ehpc-hz-bench00001';

export const listing = async (): Promise<string> => {
  const simulator = await startAlibabaEhpc({
    latencyMs: LATENCY_MS,
    clusters: [
      {
        id: CLUSTER,
        name: 'bench',
        status: 'running',
        users: Array.from({ length: USERS }, (_, index) => ({
          name: `user.${String(index).padStart(4, '0')}`,
          group: 'users' as const,
        })),
      },
    ],
  });
  const { endpoint, accessKeyId, accessKeySecret, region } = simulator;
  const account = { vendor: 'alibaba-ehpc', region, endpoint, listing: 'sync', credentials: { accessKeyId, accessKeySecret } };
  const { url, gateway } = await serve({
    accounts: { a: account },
    clusters: [{ id: 'c', account: 'a', vendorClusterId: CLUSTER }],
  });

  const call = officialClient(simulator);
  const officialPage = async (page: number): Promise<number> => {
    const query = { ClusterId: CLUSTER, PageNumber: String(page), PageSize: String(PAGE) };
    const body = (await call('ListUsers', query)) as { Users: { UserInfo: unknown[] } };
    return body.Users.UserInfo.length;
  };
  const expectAll = (count: number): void => {
    if (count !== USERS) throw new Error(`${count} users instead of ${USERS}`);
  };

  const times = await compare(
    [
      {
        name: 'gateway, one request of limit=1000',
        run: async () => {
          const { items } = (await (await fetch(`${url}/clusters/c/users?limit=${USERS}`)).json()) as { items: unknown[] };
          expectAll(items.length);
        },
      },
      {
        name: 'official client, page by page',
        run: async () => {
          let count = 0;
          for (let page = 1; page <= USERS / PAGE; page++) count += await officialPage(page);
          expectAll(count);
        },
      },
    ],
    7,
  );
  simulator.resetCalls();
  await fetch(`${url}/clusters/c/users?limit=${USERS}`).then((answer) => answer.text());
  const calls = simulator.calls.length;
  await gateway.stop();
  await simulator.close();

  const [[, fast = 1] = [], [, slow = 1] = []] = [...times];
  return [
    `listing: ${USERS} users, ${LATENCY_MS} ms a vendor call, pages of ${PAGE}`,
    table([['', 'median ms'], ...[...times].map(([name, ms]) => [name, ms.toFixed(0)])]),
    `ratio ${(slow / fast).toFixed(1)} : 1; vendor calls of the gateway: ${calls}, the least possible: ${USERS / PAGE}`,
  ].join('\n');
};
