/** Deadlines hold while memory is being collected: Node forgets a timeout that only a combined signal knows. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { backendNamed, CLUSTER, type LiveBackend } from '../support/backends.js';
import { startGateway, type TestGateway } from '../support/gateway.js';

const backend = backendNamed('shanhe-hpc, gateway search');
const USERS = `/clusters/${CLUSTER}/users`;
const DEADLINE_MS = 2_000;
/** Far from what a call may take, and from what the vendor's silence would. */
const LATE_MS = 12_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

let live: LiveBackend;
let gateway: TestGateway;
let collecting: NodeJS.Timeout;
beforeEach(async () => {
  live = await backend.start();
  gateway = await startGateway({ ...live.raw, server: { deadlineSeconds: DEADLINE_MS / 1_000, drainSeconds: 0 } });
  collecting = setInterval(collect, 100);
});
afterEach(async () => {
  clearInterval(collecting);
  await gateway.stop();
  await live.close();
});

const body = { username: 'deadline', password: backend.password };
it.each([
  ['a list', 'GET', USERS, {}, {}, '/user', 504],
  ['a dry run', 'POST', `${USERS}?dryRun=true`, {}, body, '/user', 504],
  ['a creation', 'POST', USERS, {}, body, '/user/addUser', 504],
  ['a creation that is waited for', 'POST', USERS, { prefer: 'wait=1' }, body, '/user/addUser', 504],
  ['a user on all clusters', 'GET', `/users/${body.username}`, {}, {}, '/user', 200],
] as const)(
  '%s',
  async (_, method, path, headers, given, action, expected) => {
    live.simulator?.inject({ kind: 'hang', action, times: -1 });
    const since = performance.now();
    const { status } = await gateway.request(method, path, { headers, ...(method === 'POST' && { body: given }) });
    expect([status, performance.now() - since < LATE_MS]).toEqual([expected, true]);
  },
  60_000,
);
