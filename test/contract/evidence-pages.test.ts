/** A page that is shorter than asked in the middle of a listing makes no hole (issue 7, item 4). */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Fault } from '../../simulators/kit/index.js';
import { EHPC_CLUSTER, SHANHE_CLUSTER } from '../support/backends.js';
import type { TestAnswer } from '../support/gateway.js';
import {
  cleanUp,
  creating,
  deleting,
  ehpcWith,
  onEhpc,
  onShanhe,
  type Scene,
  shanheWith,
  statusesOf,
  USERS,
} from './evidence.js';

afterEach(cleanUp);

const namesOf = ({ body }: TestAnswer): string[] => body.items.map(({ username }: { username: string }) => username);

const walkOf = async ({ gateway }: Scene, limit: number): Promise<string[]> => {
  const names: string[] = [];
  for (let path: string | undefined = `${USERS}?limit=${limit}`; path; ) {
    const answer: TestAnswer = await gateway.get(path);
    expect(answer.status).toBe(200);
    names.push(...namesOf(answer));
    path = /^<([^>]+)>/.exec(answer.headers.get('link') ?? '')?.[1];
  }
  return names;
};

interface Vendor {
  start(isSmall: boolean, speed?: number): Promise<Scene>;
  readonly users: readonly string[];
  /** A user on the second page, behind the rows that a faulty page still has. */
  readonly hidden: string;
  readonly remove: string;
}

const SERVER = { settleSeconds: 0.1 };
const EHPC = ehpcWith(130);
const SHANHE = shanheWith(260);
const ehpcUsers = EHPC.clusters?.find(({ id }) => id === EHPC_CLUSTER)?.users.map(({ name }) => name) ?? [];
const shanheUsers = SHANHE.clusters?.find(({ id }) => id === SHANHE_CLUSTER)?.users.map(({ username }) => username) ?? [];

const ehpc = (listing: 'sync' | 'async'): Vendor => ({
  start: (isSmall, speed = 1) =>
    onEhpc(
      { speed, server: SERVER, account: { listing } },
      { asyncDelayMs: 5, ...EHPC, ...(isSmall && { quirks: { maxPageSize: 20 } }) },
    ),
  users: ehpcUsers,
  hidden: ehpcUsers[80] as string,
  remove: 'DeleteUsers',
});

const VENDORS: Readonly<Record<string, Vendor>> = {
  'E-HPC, sync listing': ehpc('sync'),
  'E-HPC, async listing': ehpc('async'),
  Shanhe: {
    start: (isSmall, speed = 1) =>
      onShanhe({ speed, server: SERVER }, { jobMs: 5, ...SHANHE, ...(isSmall && { quirks: { maxLimit: 30 } }) }),
    users: shanheUsers,
    hidden: shanheUsers[160] as string,
    remove: '/user/deleteUser',
  },
};

/** `skip` lets the first page through. */
const FAULTS: Readonly<Record<string, Fault | null>> = {
  'every page is smaller than asked': null,
  'the second page is cut once': { kind: 'short_page', rows: 10, skip: 1 },
  'the second page has a hole once': { kind: 'hole_page', rows: 10, skip: 1 },
};

describe.each(Object.entries(VENDORS))('%s', (_, { start, users, hidden, remove }) => {
  describe.each(Object.entries(FAULTS))('%s', (__, fault) => {
    const reading = async (): Promise<Scene & { faulty(): void }> => {
      const scene = await start(fault === null);
      return Object.assign(scene, {
        faulty: () => {
          scene.simulator.clearFaults();
          if (fault) scene.inject(fault);
        },
      });
    };

    it('leaves no user out of a list', async () => {
      const scene = await reading();
      scene.faulty();
      expect(await walkOf(scene, 60)).toEqual(users);
      scene.faulty();
      expect(namesOf(await scene.gateway.get(`${USERS}?limit=1000`))).toEqual(users);
      scene.faulty();
      expect((await scene.gateway.get(`${USERS}/${hidden}`)).status).toBe(200);
      scene.faulty();
      expect((await scene.gateway.get(`${USERS}/nobody.here`)).status).toBe(404);
    });

    it('hides no user from a dry run', async () => {
      const scene = await reading();
      scene.faulty();
      const items = [deleting(hidden), creating(hidden)];
      const dry = await scene.gateway.post(`${USERS}/batch?dryRun=true`, { items });
      expect(statusesOf(dry)[0]).toBe('deleted');
      scene.faulty();
      const taken = await scene.gateway.post(`${USERS}/batch?dryRun=true`, { items: [creating(hidden)] });
      expect(statusesOf(taken)).toEqual(['already_exists']);
    });

    it('lets no delete that did nothing be answered 204', async () => {
      const scene = await reading();
      scene.faulty();
      scene.inject({ kind: 'reset_before', action: remove });
      const { status } = await scene.remove(hidden);
      expect([status, scene.effects(hidden)]).toEqual([204, ['deleted']]);
    });
  });

  it('says 502 where the rows cannot be had, and claims nothing', async () => {
    const scene = await start(false, 10);
    const hole = (): void => scene.inject({ kind: 'hole_page', rows: 10, times: -1 });
    hole();
    const paths = [`${USERS}?limit=1000`, `${USERS}/${hidden}`, `${USERS}/nobody.here`];
    for (const path of paths) {
      const { status, body } = await scene.gateway.get(path);
      // Shanhe takes offsets: the rest of a page is asked for.
      if (status !== 200 && status !== 404) expect([path, status, body.code]).toEqual([path, 502, 'vendor_bad_response']);
      else if (path.endsWith('1000')) expect(namesOf({ status, body } as TestAnswer)).toEqual(users);
      else expect(status).toBe(path.endsWith(hidden) ? 200 : 404);
    }
    scene.inject({ kind: 'reset_before', action: remove });
    const { status } = await scene.remove(hidden);
    if (status === 204) expect(scene.effects(hidden)).toEqual(['deleted']);
    else expect([status, scene.effects(hidden)]).toEqual([expect.any(Number), []]);
    expect(status).not.toBe(404);
  });
});
