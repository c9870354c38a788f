/** 10,000 users of an E-HPC cluster whose vendor takes 50 ms a call: one stream of the gateway, one search, and the official client page by page. */
import { cpuMs, startProgram } from './children.js';
import { compare, table } from './measure.js';
import { CLUSTER, KEY, VERSION } from './peers/vendor-key.js';
import { startGateway } from './speed.js';

const USERS = 10_000;
const PAGE = 50;
const LATENCY_MS = 50;
const ROUNDS = 3;

const expectAll = (count: number): void => {
  if (count !== USERS) throw new Error(`${count} users instead of ${USERS}`);
};

export const walk = async (): Promise<string> => {
  const { default: RPCClient } = await import('@alicloud/pop-core');
  const vendor = await startProgram('./peers/vendor.js', { env: { USERS: String(USERS), LATENCY_MS: String(LATENCY_MS) } });
  const { program, headers } = await startGateway(vendor.url, 0);
  const client = new RPCClient({ ...KEY, endpoint: vendor.url, apiVersion: VERSION, opts: { keepAlive: true } });
  const users = `${program.url}/clusters/c/users`;
  const times = await compare(
    [
      {
        name: 'gateway, NDJSON',
        run: async () => {
          const response = await fetch(users, { headers: { ...headers, accept: 'application/x-ndjson' } });
          // The last line is about the whole.
          expectAll((await response.text()).trimEnd().split('\n').length - 1);
        },
      },
      {
        name: 'gateway, a user who is not there',
        run: async () => {
          const { status } = await fetch(`${users}/nobody.here`, { headers });
          if (status !== 404) throw new Error(`the answer is ${status}`);
        },
      },
      {
        name: 'official client, page by page',
        run: async () => {
          let count = 0;
          for (let page = 1; page <= USERS / PAGE; page++) {
            const query = { ClusterId: CLUSTER, PageNumber: page, PageSize: PAGE };
            const { Users } = await client.request<{ Users: { UserInfo: unknown[] } }>('ListUsers', query);
            count += Users.UserInfo.length;
          }
          expectAll(count);
        },
      },
    ],
    ROUNDS,
  );
  const cpu = cpuMs(program);
  await Promise.all([program.stop(), vendor.stop()]);
  const [stream = 1, missing = 1, official = 1] = times.values();
  return [
    `walk: ${USERS} users, ${LATENCY_MS} ms a vendor call, pages of ${PAGE}, medians of ${ROUNDS} interleaved rounds`,
    table([['', 'median ms'], ...[...times].map(([name, ms]) => [name, ms.toFixed(0)])]),
    `the official client takes ${(official / stream).toFixed(1)} times as long as the stream, ${(official / missing).toFixed(1)} times as long as the search for nobody; CPU of the gateway in all: ${cpu.toFixed(0)} ms`,
  ].join('\n');
};
