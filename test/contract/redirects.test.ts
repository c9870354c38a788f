/** A vendor's redirect is an answer like any other: a signed request with a password goes nowhere else. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { startGateway } from '../support/gateway.js';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const serve = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const PASSWORD = 'kUISjs@kkkkkk1!';
const READY = {
  DescribeCluster: { ClusterInfo: { Id: 'ehpc-fake0001', Status: 'running' } },
  '/api/cluster/list': {
    ret_code: 0,
    cluster_set: [{ cluster_id: 'ehpc-fake0001', cluster_type: 'ehpc', status: 'active' }],
    total_count: 1,
  },
  ListUsers: { Users: { UserInfo: [{ Name: 'alice.one', Group: 'users' }] }, TotalCount: 1 },
  '/api/user': { ret_code: 0, users_set: [{ username: 'alice.one' }], total_count: 1 },
};

const ACCOUNTS = {
  'alibaba-ehpc': (endpoint: string) => ({
    ...{ vendor: 'alibaba-ehpc', region: 'cn-hangzhou', endpoint, listing: 'sync' },
    credentials: { accessKeyId: 'id', accessKeySecret: 'account-secret-key' },
  }),
  'shanhe-hpc': (endpoint: string) => ({
    ...{ vendor: 'shanhe-hpc', endpoint: `${endpoint}/api` },
    credentials: { accessKeyId: 'id', secretAccessKey: 'account-secret-key' },
  }),
};

describe.each(Object.entries(ACCOUNTS))('%s', (_, accountOf) => {
  it.each([301, 302, 303, 307, 308])('a redirect of status %i is not followed, by no read and no write', async (status) => {
    const reached: string[] = [];
    const elsewhere = await serve((request, response) => {
      reached.push(`${request.method} ${request.url}`);
      response.end('{}');
    });
    const redirected: string[] = [];
    let hasUsers = false;
    const endpoint = await serve((request, response) => {
      const action = String(request.headers['x-acs-action'] ?? new URL(request.url ?? '/', 'http://vendor').pathname);
      const known = READY[action as keyof typeof READY];
      if (known && (hasUsers || !/user/i.test(action))) {
        response.end(JSON.stringify(known));
        return;
      }
      redirected.push(action);
      request.resume();
      response.writeHead(status, { location: `${elsewhere}${request.url}` }).end();
    });
    const gateway = await startGateway({
      server: { settleSeconds: 0, drainSeconds: 0 },
      accounts: { a: accountOf(endpoint) },
      clusters: [{ id: 'c', account: 'a', vendorClusterId: 'ehpc-fake0001' }],
    });
    closers.push(() => gateway.stop());
    const users = '/clusters/c/users';
    expect((await gateway.get(users)).status).toBe(502);
    hasUsers = true;
    const change = await gateway.request('PUT', `${users}/alice.one/password`, { body: { password: PASSWORD } });
    expect([change.status, change.body.code]).toEqual([502, 'vendor_bad_response']);
    expect(redirected.length).toBeGreaterThanOrEqual(2);
    expect(reached).toEqual([]);
    expect(change.text + gateway.logged()).not.toContain(elsewhere);
  });
});
