/** Vendors in a few lines that lie about their lists. They verify nothing: `simulators/` does. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a list call asks for: the rows [start, start + size). */
export interface Asked {
  readonly start: number;
  readonly size: number;
  /** Of this list call, from 1. */
  readonly call: number;
}

export interface Listed {
  readonly names: readonly string[];
  readonly total: number | null;
  /** E-HPC's echo of the page size. */
  readonly pageSize?: number;
}

export type List = (asked: Asked) => Listed;

export interface FakeVendor {
  /** An account and its cluster `c`. */
  readonly raw: { readonly accounts: object; readonly clusters: readonly object[] };
  /** The list calls so far. */
  readonly asked: readonly Asked[];
  /** Actions or paths of all calls, in order. */
  readonly calls: readonly string[];
  close(): Promise<void>;
}

type Reply = (url: URL, action: string) => unknown;

const read = async (request: IncomingMessage): Promise<void> => {
  for await (const _ of request);
};

const serve = async (
  account: (endpoint: string) => object,
  actionOf: (request: IncomingMessage, url: URL) => string,
  reply: Reply,
) => {
  const calls: string[] = [];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://vendor');
    const action = actionOf(request, url);
    calls.push(action);
    await read(request);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(reply(url, action)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    calls,
    raw: {
      accounts: { a: account(`http://127.0.0.1:${port}`) },
      clusters: [{ id: 'c', account: 'a', vendorClusterId: 'ehpc-fake0001' }],
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

export const fakeShanhe = async (list: List): Promise<FakeVendor> => {
  const asked: Asked[] = [];
  const reply: Reply = (url, action) => {
    if (action === '/api/cluster/list')
      return {
        ret_code: 0,
        cluster_set: [{ cluster_id: 'ehpc-fake0001', cluster_type: 'ehpc', status: 'active' }],
        total_count: 1,
      };
    if (action !== '/api/user') return { ret_code: 0, job_id: 'j-1', job_set: [{ job_id: 'j-1', status: 'successful' }] };
    const { searchParams } = url;
    asked.push({ start: Number(searchParams.get('offset')), size: Number(searchParams.get('limit')), call: asked.length + 1 });
    const { names, total } = list(asked.at(-1) as Asked);
    return {
      ret_code: 0,
      users_set: names.map((username) => ({ username, role: 'member' })),
      ...(total !== null && { total_count: total }),
    };
  };
  const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' };
  const account = (endpoint: string) => ({ vendor: 'shanhe-hpc', endpoint: `${endpoint}/api`, credentials });
  return { asked, ...(await serve(account, (_, { pathname }) => pathname, reply)) };
};

export const fakeEhpc = async (list: List, listing: 'sync' | 'async' = 'sync'): Promise<FakeVendor> => {
  const asked: Asked[] = [];
  const reply: Reply = (url, action) => {
    if (action === 'DescribeCluster') return { ClusterInfo: { Id: 'ehpc-fake0001', Status: 'running' } };
    if (!action.startsWith('ListUsers')) return { RequestId: 'R' };
    const { searchParams } = url;
    const [page, size] = [Number(searchParams.get('PageNumber')), Number(searchParams.get('PageSize'))];
    asked.push({ start: (page - 1) * size, size, call: asked.length + 1 });
    const { names, total, pageSize = size } = list(asked.at(-1) as Asked);
    return {
      PageNumber: page,
      PageSize: pageSize,
      ...(total !== null && { TotalCount: total }),
      Users: { UserInfo: names.map((Name) => ({ Name, Group: 'users' })) },
      ...(listing === 'async' && { AsyncId: 't-1', AsyncStatus: 'Success' }),
    };
  };
  const credentials = { accessKeyId: 'key', accessKeySecret: 'secret' };
  const account = (endpoint: string) => ({ vendor: 'alibaba-ehpc', region: 'cn-hangzhou', endpoint, listing, credentials });
  return { asked, ...(await serve(account, ({ headers }) => String(headers['x-acs-action']), reply)) };
};
