/** How long a vendor asks to wait: one bounded reader for all adapters (issue 7, item 11). */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Fault } from '../../simulators/kit/index.js';
import { pause, until } from '../support/wait.js';
import {
  cleanUp,
  creating,
  ehpcWith,
  minutes,
  newName,
  newNames,
  onEhpc,
  onShanhe,
  type Scene,
  type Settings,
  seconds,
  shanheWith,
  USERS,
} from './evidence.js';

afterEach(cleanUp);

const VENDORS = {
  'alibaba-ehpc': {
    list: 'ListUsers',
    start: (settings: Settings = {}, now?: () => Date): Promise<Scene> =>
      onEhpc(settings, { ...ehpcWith(3), ...(now && { now }) }),
  },
  'shanhe-hpc': {
    list: '/user',
    start: (settings: Settings = {}, now?: () => Date): Promise<Scene> =>
      onShanhe(settings, { jobMs: 5, ...shanheWith(3), ...(now && { now }) }),
  },
} as const;

const inFuture = (ms: number): string => new Date(Date.now() + ms).toUTCString();

/** What the vendor sends, and the bounds of the answer's own header, in seconds. */
const TABLE: readonly (readonly [string, () => string, number, number])[] = [
  ['an HTTP-date', () => inFuture(seconds(120)), 115, 121],
  ['an HTTP-date of the past', () => inFuture(-seconds(120)), 1, 1],
  ['0', () => '0', 1, 1],
  ['7', () => '7', 7, 7],
  ['1e9', () => '1e9', 3_600, 3_600],
  ['1000000000', () => '1000000000', 3_600, 3_600],
];
const NONSENSE = ['Infinity', '-5', 'soon', '', 'NaN', '0x10'];

describe.each(Object.entries(VENDORS))('%s', (_, { list, start }) => {
  it('callers get what the vendor asks for, within 1 s and an hour', async () => {
    // An HTTP-date counts from the vendor's own Date.
    const reported = async (fault: Fault): Promise<number> => {
      // A new one each time: what was refused is not asked for again before its time.
      const scene = await start({ speed: 20 }, () => new Date());
      scene.inject(fault);
      const { status, headers } = await scene.gateway.get(USERS);
      expect(status).toBe(429);
      const text = headers.get('retry-after') ?? '';
      expect(text).toMatch(/^\d+$/);
      return Number(text);
    };
    const throttle = (retryAfter: string): Fault => ({
      kind: 'throttle',
      action: list,
      times: -1,
      retryAfter,
      retryAfterHeader: 'standard',
    });
    const default_ = await reported({ kind: 'throttle', action: list, times: -1 });
    for (const [name, header, from, to] of TABLE) {
      const seconds = await reported(throttle(header()));
      expect({ name, seconds, fits: seconds >= from && seconds <= to }).toEqual({ name, seconds, fits: true });
    }
    for (const header of NONSENSE) expect([header, await reported(throttle(header))]).toEqual([header, default_]);
  });
});

it("E-HPC's own header is read, in milliseconds", async () => {
  const scene = await VENDORS['alibaba-ehpc'].start();
  for (const header of ['vendor', 'both'] as const) {
    scene.simulator.clearFaults();
    scene.inject({ kind: 'throttle', action: 'ListUsers', times: -1, retryAfterSeconds: 42, retryAfterHeader: header });
    const { headers } = await scene.gateway.get(USERS);
    expect([header, headers.get('retry-after')]).toEqual([header, '42']);
  }
});

describe('1e9 from Shanhe', () => {
  const MAX_LOOKS = 10;
  const FAST: Settings = { speed: 600, server: { deadlineSeconds: 600, jobSeconds: 7_200 } };

  it('on /operation makes no storm of calls, and the job is followed no longer than jobSeconds', async () => {
    const scene = await VENDORS['shanhe-hpc'].start({ ...FAST, server: { jobSeconds: 900 } });
    scene.inject({ kind: 'throttle', action: '/operation', retryAfter: '1e9', times: -1 });
    const name = newName();
    const path = await scene.begin([creating(name)]);
    await until(
      async () => (await scene.gateway.get(path)).body.finishedAt !== null || scene.calls('/operation') > MAX_LOOKS,
      Boolean,
    );
    expect(scene.calls('/operation')).toBeLessThanOrEqual(MAX_LOOKS);
    const { body } = await scene.end(path);
    // The user is read back; whose they are depends on a look before the send, which has little real time here.
    expect(['created', 'unknown']).toContain(body.results[0].status);
    expect(Date.parse(body.finishedAt) - Date.parse(body.createdAt)).toBeLessThan(minutes(60));
  });

  it('on addUser is an hour for the caller and all others, and leaves a batch that can be cancelled', async () => {
    const scene = await VENDORS['shanhe-hpc'].start();
    scene.inject({ kind: 'throttle', action: '/user/addUser', retryAfter: '1e9', times: -1 });
    const single = await scene.create(newName());
    expect([single.status, single.headers.get('retry-after')]).toEqual([429, '3600']);
    const calls = scene.calls('/user/addUser');
    const path = await scene.begin(newNames(10).map((name) => creating(name)));
    await pause(300);
    expect(scene.calls('/user/addUser')).toBe(calls);
    const { status, body } = await scene.gateway.request('POST', `${path}/cancel`);
    expect([status, body.state, body.done]).toEqual([200, 'cancelled', true]);
  });
});
