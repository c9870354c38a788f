/** Names that no vendor can be sent. */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Simulator } from '../../simulators/kit/index.js';
import { backendNamed, CLUSTER, type LiveBackend } from '../support/backends.js';
import { startGateway, type TestGateway } from '../support/gateway.js';

const LONE_SURROGATE = '\ud800';
let live: LiveBackend;
let gateway: TestGateway;
afterEach(async () => {
  await gateway.stop();
  await live.close();
});

describe.each(['alibaba-ehpc, acs3, sync listing', 'shanhe-hpc, gateway search'])('%s', (name) => {
  const backend = backendNamed(name);

  it.each([false, true])(
    'refuses a lone surrogate in every kind of item, and sends nothing of it (dry run: %s)',
    async (dryRun) => {
      live = await backend.start();
      gateway = await startGateway({ ...live.raw, server: { settleSeconds: 0, drainSeconds: 0 } });
      const items = [
        { op: 'delete', username: 'ghost' },
        { op: 'delete', username: LONE_SURROGATE },
        { op: 'update', username: `a${LONE_SURROGATE}`, password: backend.password },
        { op: 'create', username: `b${LONE_SURROGATE}`, password: backend.password },
      ];
      const { status, body } = await gateway.post(`/clusters/${CLUSTER}/users/batch`, { dryRun, items });
      expect([status, body.code, body.errors.map(({ pointer }: { pointer: string }) => pointer)]).toEqual([
        400,
        'invalid_request',
        [1, 2, 3].map((index) => `/items/${index}/username`),
      ]);
      const { calls } = live.simulator as Simulator;
      expect(JSON.stringify(calls)).not.toMatch(/ud800|\ufffd/);
    },
  );
});
