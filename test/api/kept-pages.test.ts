/** Pages of a kept list are written once, each for its caller: a cursor is good for nobody else. */
import { afterEach, expect, it } from '@jest/globals';
import { bothVendors, configOver } from '../support/both-vendors.js';
import { makeCaller } from '../support/callers.js';
import { startGateway, type TestGateway } from '../support/gateway.js';

const stage = bothVendors();
let gateway: TestGateway;
afterEach(() => gateway.stop());

it('two callers page through one list, each to its end', async () => {
  const [one, other] = [makeCaller('one'), makeCaller('other')];
  const auth = { callers: [one.config, other.config] };
  gateway = await startGateway({ ...configOver(stage), auth, cache: { seconds: 3_600 } });
  const USERS = '/clusters/ali/users';
  // A search reads the list as a whole, which is kept.
  await gateway.request('GET', `${USERS}?search=user`, { headers: one.headers });
  const calls = stage.ehpc.calls.length;
  for (const { headers } of [one, other, one]) {
    const first = await gateway.request('GET', `${USERS}?limit=20`, { headers });
    const next = await gateway.request('GET', `${USERS}?limit=20&cursor=${first.body.nextCursor}`, { headers });
    expect([first.status, next.status, next.body.items[0].username]).toEqual([200, 200, 'user.0020']);
  }
  expect(stage.ehpc.calls).toHaveLength(calls);
});
