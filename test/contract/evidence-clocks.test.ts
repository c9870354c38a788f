/** Two clocks prove nothing beyond their agreement: whose user a found one is (issue 7, item 5). */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { ClockSkew } from '../../simulators/kit/index.js';
import {
  cleanUp,
  ehpcWith,
  minutes,
  newName,
  OTHER_PASSWORD,
  onEhpc,
  onShanhe,
  PASSWORD,
  type Scene,
  seconds,
  shanheWith,
} from './evidence.js';

afterEach(cleanUp);

/** Error of the cluster's times, and of the Date header. */
const CLOCKS: readonly (readonly [string, number, ClockSkew])[] = [
  ['times 4 s behind', -seconds(4), { dateHeader: 'true' }],
  ['times 4 s behind, no Date', -seconds(4), { dateHeader: 'none' }],
  ['times 4 s ahead', seconds(4), { dateHeader: 'true' }],
  ['Date 10 min ahead', 0, { dateMs: minutes(10) }],
  ['times 4 s behind, Date 10 min ahead', -seconds(4), { dateMs: minutes(10) }],
  ['times and Date 10 min ahead', minutes(10), {}],
];

/** Small clusters are read before a create; of a large one only the times prove something. */
const SMALL = 3;
const LARGE = 1_100;

const VENDORS = {
  'alibaba-ehpc': { add: 'AddUsers', start: (users: number): Promise<Scene> => onEhpc({}, ehpcWith(users)) },
  'shanhe-hpc': {
    add: '/user/addUser',
    start: (users: number): Promise<Scene> => onShanhe({}, { jobMs: 20, ...shanheWith(users) }),
  },
} as const;

const learn = async (scene: Scene): Promise<void> => {
  expect((await scene.create(newName())).status).toBe(201);
};
const atClusterTime = (msAgo: number, skewMs: number): string => new Date(Date.now() - msAgo + skewMs).toISOString();

describe.each(Object.entries(VENDORS))('%s', (_, { add, start }) => {
  describe.each(CLOCKS)('%s', (__, skewMs, skew) => {
    const startSkewed = async (users: number): Promise<Scene> => {
      const scene = await start(users);
      scene.simulator.setClockSkew(skewMs, skew);
      return scene;
    };

    it.each([true, false])('our own user is ours when the answer was lost (offset learned: %s)', async (learned) => {
      const scene = await startSkewed(SMALL);
      if (learned) await learn(scene);
      const name = newName();
      scene.inject({ kind: 'reset_after', action: add });
      const { status, body } = await scene.create(name);
      expect([status, body.username, scene.effects(name)]).toEqual([201, name, ['created']]);
      expect(scene.opens(name, PASSWORD)).toBe(true);
    });

    it("another party's user, made 3 to 5 s before, is never ours (offset learned and not)", async () => {
      const scene = await startSkewed(SMALL);
      for (const learned of [false, true]) {
        if (learned) await learn(scene);
        for (const ago of [3, 4, 5]) {
          const name = newName();
          const at = atClusterTime(seconds(ago), skewMs);
          scene.simulator.addUser(scene.cluster, name, { password: OTHER_PASSWORD, at });
          scene.inject({ kind: 'reset_before', action: add });
          const { status, body } = await scene.create(name);
          expect([learned, ago, status, body.code]).toEqual([learned, ago, 409, 'user_already_exists']);
          expect([scene.effects(name), scene.opens(name, OTHER_PASSWORD)]).toEqual([[], true]);
        }
      }
    });
  });

  describe('a list that is too long to be read before a create', () => {
    it.each([-seconds(4), seconds(4)])('claims nothing before the offset is learned (%i ms)', async (skewMs) => {
      const scene = await start(LARGE);
      scene.simulator.setClockSkew(skewMs, { dateHeader: 'true' });
      const [mine, theirs] = [newName(), newName()];
      scene.simulator.addUser(scene.cluster, theirs, { password: OTHER_PASSWORD, at: atClusterTime(seconds(4), skewMs) });
      scene.inject({ kind: 'reset_before', action: add, username: theirs });
      scene.inject({ kind: 'reset_after', action: add, username: mine });
      const answers = [await scene.create(mine), await scene.create(theirs)];
      // Shanhe has a look-up that costs one call, so the name is looked for before the send.
      expect([201, 503, 504]).toContain(answers[0]?.status);
      expect([409, 503, 504]).toContain(answers[1]?.status);
      expect([scene.effects(mine), scene.effects(theirs)]).toEqual([['created'], []]);
    });

    it.each([-seconds(4), seconds(4)])('knows who was first after the offset is learned (%i ms)', async (skewMs) => {
      const scene = await start(LARGE);
      scene.simulator.setClockSkew(skewMs, { dateHeader: 'true' });
      await learn(scene);
      const [mine, theirs] = [newName(), newName()];
      scene.simulator.addUser(scene.cluster, theirs, { password: OTHER_PASSWORD, at: atClusterTime(seconds(5), skewMs) });
      scene.inject({ kind: 'reset_before', action: add, username: theirs });
      scene.inject({ kind: 'reset_after', action: add, username: mine });
      const answers = [await scene.create(mine), await scene.create(theirs)];
      expect(answers.map(({ status }) => status)).toEqual([201, 409]);
    });
  });
});
