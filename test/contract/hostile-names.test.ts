/** Names of users and clusters that would mean something in a URL, a form or a header reach a vendor as names, and as nothing else. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CallRecord, Simulator } from '../../simulators/kit/index.js';
import { ehpcAccount, shanheAccount, startEhpc, startShanhe } from '../support/backends.js';
import { startGateway, type TestGateway } from '../support/gateway.js';

const NAMES = [
  '../../etc/passwd',
  'a/../../b',
  'a?Action=DeleteUsers',
  'a#fragment',
  'a&Action=DeleteUsers&User.1.Name=root',
  'a=b;c=d',
  'a%26Action%3DDeleteUsers',
  'a%252e%252e%252f',
  'a+b c',
  '"quoted" \\ <tag>',
  "it's; -- (x)*~!",
  '用户-ünï-🔑',
  '@evil.example:8080/',
  '//evil.example/x',
  '${jndi:ldap://x}',
  '__proto__',
];
const HOSTILE_CLUSTER = '../cluster?zone=x&Action=DeleteUsers#-ü+ %26';
const PASSWORD = 'kUISjs@kkkkkk1!';

/** Parameters that the vendor's calls about users have. */
const EHPC_PARAMS = /^(ClusterId|Async|PageNumber|PageSize|User\.1\.(Name|Password))$/;
const SHANHE_PARAMS = /^(cluster_id|limit|offset|search_word|username|new_password|zone|job_ids|reverse|owner)$/;

const VENDORS = [
  {
    vendor: 'alibaba-ehpc',
    actions: ['DescribeCluster', 'ListUsers', 'ModifyUserPasswords', 'DeleteUsers'],
    nameOf: ({ params }: CallRecord) => params['User.1.Name'],
    writes: ['ModifyUserPasswords', 'DeleteUsers'],
    clusterOf: ({ params }: CallRecord) => params['ClusterId'],
    known: EHPC_PARAMS,
    start: async () => {
      const users = [...NAMES, 'keeper'].map((name) => ({ name, group: 'users' as const }));
      const simulator = await startEhpc({ clusters: [{ id: HOSTILE_CLUSTER, name: 'hostile', status: 'running', users }] });
      return { simulator, account: { ...ehpcAccount(simulator), listing: 'sync' } };
    },
  },
  {
    vendor: 'shanhe-hpc',
    actions: ['/cluster/list', '/user', '/user/modifyUser', '/user/deleteUser', '/operation'],
    nameOf: ({ params }: CallRecord) => params['username'],
    writes: ['/user/modifyUser', '/user/deleteUser'],
    clusterOf: ({ params }: CallRecord) => params['cluster_id'],
    known: SHANHE_PARAMS,
    start: async () => {
      const users = [...NAMES, 'keeper'].map((username) => ({ username, role: 'member' as const }));
      const simulator = await startShanhe({
        clusters: [{ id: HOSTILE_CLUSTER, name: 'hostile', type: 'ehpc', status: 'active', users }],
      });
      return { simulator, account: shanheAccount(simulator) };
    },
  },
];

describe.each(VENDORS)('$vendor', ({ actions, nameOf, writes, clusterOf, known, start }) => {
  let simulator: Simulator;
  let gateway: TestGateway;
  beforeAll(async () => {
    const started = await start();
    simulator = started.simulator;
    gateway = await startGateway({
      server: { settleSeconds: 0, drainSeconds: 0 },
      accounts: { a: started.account },
      clusters: [{ id: 'c', account: 'a', vendorClusterId: HOSTILE_CLUSTER }],
    });
  });
  afterAll(async () => {
    await gateway.stop();
    await simulator.close();
  });

  it.each(NAMES)('%s', async (name) => {
    const path = `/clusters/c/users/${encodeURIComponent(name)}`;
    const before = simulator.calls.length;
    const found = await gateway.get(path);
    expect([found.status, found.body.username]).toEqual([200, name]);
    const searched = await gateway.get(`/clusters/c/users?search=${encodeURIComponent(name)}`);
    expect([searched.status, searched.body.items.map(({ username }: { username: string }) => username)]).toEqual([200, [name]]);
    const changed = await gateway.request('PUT', `${path}/password`, { body: { password: PASSWORD } });
    // The simulators have the vendors' rules: what matters is what they saw, and that its signature was right.
    const deleted = await gateway.request('DELETE', path);
    for (const { status, text } of [changed, deleted]) expect([text, [204, 422].includes(status)]).toEqual([text, true]);

    const calls = simulator.calls.slice(before);
    expect([...new Set(calls.map(({ action }) => action))].filter((action) => !actions.includes(action))).toEqual([]);
    expect(calls.filter(({ action }) => writes.includes(action)).map(nameOf)).toEqual([name, name]);
    const clusters = new Set(calls.map(clusterOf).filter((cluster) => cluster !== undefined));
    expect([...clusters]).toEqual([HOSTILE_CLUSTER]);
    expect([...new Set(calls.flatMap(({ params }) => Object.keys(params)))].filter((key) => !known.test(key))).toEqual([]);
  });

  it('line ends and half characters are refused, and nothing is sent', async () => {
    const before = simulator.calls.length;
    for (const name of ['a%0D%0Ax-header:%201', 'a%00', '%ED%A0%80']) {
      const { status } = await gateway.request('DELETE', `/clusters/c/users/${name}`);
      expect(status).toBe(400);
    }
    expect(simulator.calls.slice(before)).toEqual([]);
  });
});
