/**
 * Secrets that are each made once go through every operation and every fault of the vendors, through crashes and a stop. None of them, however it is
 * written, is in an answer, a log, the audit trail or the store afterwards; and what is sealed in the store does not open.
 */
import { readFileSync } from 'node:fs';
import { afterEach, expect, it } from '@jest/globals';
import type { Fault } from '../../simulators/kit/fault.js';
import { attack } from '../support/attack.js';
import { clearFaults, injectEchoes, injectWherePossible, OTHER_FAULTS, quotingFaults } from '../support/canary/faults.js';
import type { Found } from '../support/canary/search.js';
import type { Canaries } from '../support/canary/secrets.js';
import { CLUSTERS, createStage, type Stage } from '../support/canary/stage.js';
import { createTour, type Tour } from '../support/canary/tour.js';
import { endProcesses } from '../support/process.js';
import { until } from '../support/wait.js';

/** A store under test. */
export interface CanaryStore {
  /** The `store` of the configuration. */
  config(folder: string, canaries: Canaries): Promise<object>;
  /** All that it has now, and has not removed for good; by where it is. */
  contents(): Promise<ReadonlyMap<string, Buffer>>;
  /** A folder with a copy of all that somebody can try to open. */
  copy(stage: Stage): Promise<string>;
  close(): Promise<void>;
}

export interface CanaryPlan {
  readonly echoRounds: number;
  /** Where the echo rounds begin: each store takes others. */
  readonly firstRound: number;
  readonly kills: number;
}

const OPEN = 4;
/** Faults that wait for the same calls. */
const AT_ONCE = 4;
/** What sends passwords, at either vendor. */
const SENDING = ['AddUsers', '/user/addUser'];

interface Operation {
  readonly done: boolean;
}

const opened = (stage: Stage, folder: string): string[] => [...attack(folder, stage.storeKey).opened].sort();

/** Until nothing is open any more, whatever became of it. */
const settle = async ({ recorder, caller }: Stage): Promise<void> => {
  const open = async (): Promise<number> => {
    const counts = ['pending', 'running'].map(async (state) => {
      const answer = await recorder.send('GET', `/operations?state=${state}`, { headers: caller.headers });
      return (answer?.body?.items as Operation[] | undefined)?.length ?? 1;
    });
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  };
  await until(open, (count) => count === 0, 100);
};

const echoes = async (stage: Stage, tour: Tour, { firstRound, echoRounds }: CanaryPlan): Promise<void> => {
  for (let round = firstRound; round < firstRound + echoRounds; round++) {
    injectEchoes(stage, round);
    await tour.round();
    clearFaults(stage);
  }
};

/** Before all that opens a circuit breaker. */
const proxies = async ({ canaries, tunnels }: Stage, tour: Tour): Promise<void> => {
  for (const manner of ['refuse', 'answer', 'pass'] as const) {
    tunnels.become(manner);
    await tour.createWith(canaries.password('shanhe', `proxy ${manner}`));
    await tour.createWith(canaries.password('shanhe', `proxy ${manner}, again`));
  }
};

const otherFaults = async (stage: Stage, tour: Tour): Promise<void> => {
  const { canaries } = stage;
  const meet = async (faults: readonly Fault[], passwords: readonly string[]): Promise<void> => {
    for (const fault of faults) injectWherePossible(stage, fault);
    await Promise.all(passwords.map(tour.createWith));
    clearFaults(stage);
  };
  for (let from = 0; from < OTHER_FAULTS.length; from += AT_ONCE) {
    const faults = OTHER_FAULTS.slice(from, from + AT_ONCE);
    await meet(
      faults,
      faults.map(({ kind }) => canaries.password('shanhe', kind)),
    );
  }
  for (const spell of [(text: string) => text, encodeURIComponent, btoa]) {
    const password = canaries.password('shanhe', 'quoted');
    const words = spell(`${password} ${stage.ehpc.accessKeyId} ${stage.shanhe.secretAccessKey}`);
    await meet(quotingFaults(words), [password, password, password]);
  }
};

/** Writes that are under way at a vendor that repeats their passwords when the next process asks. */
const kill = async (stage: Stage, tour: Tour, round: number): Promise<void> => {
  for (const action of SENDING) injectWherePossible(stage, { kind: 'delay', action, delayMs: 2_000, times: 2 });
  const simulators = [stage.ehpc, stage.shanhe];
  const sent = (): number[] => simulators.map(({ calls }) => calls.filter(({ action }) => SENDING.includes(action)).length);
  const before = sent();
  await Promise.all(CLUSTERS.map((cluster) => tour.begin(cluster)));
  // The last passwords that the vendors know are those of open writes: of others a new process knows nothing any more.
  await until(() => sent().every((count, at) => count > (before[at] ?? 0)));
  const { child, exit } = stage.run();
  child.kill('SIGKILL');
  await exit;
  clearFaults(stage);
  injectEchoes(stage, round);
  await stage.start();
  await tour.round();
  clearFaults(stage);
};

/** The test of the test: while items are open, what is sealed opens with what is in the store, and only that. */
const freeze = async (stage: Stage, store: CanaryStore, tour: Tour): Promise<void> => {
  for (const action of SENDING) injectWherePossible(stage, { kind: 'throttle', action, retryAfterSeconds: 2, times: -1 });
  const begun = await Promise.all(Array.from({ length: OPEN }, (_, index) => tour.begin(index % 2 ? 'ali' : 'shan')));
  expect(begun.every(({ path }) => path !== undefined)).toBe(true);
  expect(opened(stage, await store.copy(stage))).toEqual(begun.map(({ password }) => password).sort());
  clearFaults(stage);
  await settle(stage);
};

/** Leaks by the secret and where it is, one line each. */
const leaksIn = (stage: Stage, parts: ReadonlyMap<string, Buffer>): string[] => {
  const { search } = stage.canaries;
  const describe = (part: string, { name, spelling, excerpt }: Found): string =>
    `${part}: ${name}, ${spelling}: ${JSON.stringify(excerpt)}`;
  return [...parts].flatMap(([part, content]) => search.find(content).map((found) => describe(part, found)));
};

const MAX_SHOWN = 40;

/** The test of the test: of all secrets that went through, none would be overlooked in a line of a log. */
const expectLeaksToBeFound = (stage: Stage): void => {
  const { known } = stage.canaries;
  const lines = [...known].map(
    ([name, secret]) => [name, Buffer.from(JSON.stringify({ level: 50, msg: `failed on ${secret}` }))] as const,
  );
  expect(lines.filter((line) => leaksIn(stage, new Map([line])).length === 0)).toEqual([]);
};

/** A write that outlasts its request on a busy machine was performed, too. */
const expectAllOperationsAsked = ({ recorder }: Stage): void => {
  const { paths } = JSON.parse(readFileSync('dist/openapi.json', 'utf8')) as { paths: Record<string, object> };
  const asked = [...recorder.asked];
  const missing = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item)
      .filter((key) => ['get', 'put', 'post', 'patch', 'delete'].includes(key))
      .map((method) => `${method.toUpperCase()} ${path}`)
      .filter((operation) => {
        const pattern = new RegExp(`^${operation.replace(/\{[^}]+\}/g, '[^/ ]+').replaceAll('.', '\\.')} [235]\\d\\d$`);
        return !asked.some((line) => pattern.test(line));
      }),
  );
  expect(missing).toEqual([]);
};

export const canary = (name: string, store: CanaryStore, plan: CanaryPlan): void => {
  let stage: Stage | undefined;
  afterEach(async () => {
    endProcesses();
    await stage?.close();
    await store.close();
  });

  it(
    `no secret leaves the gateway: ${name}`,
    async () => {
      const now = await createStage(store.config);
      stage = now;
      await now.start();
      const tour = createTour(now, await now.token());
      await tour.round();
      await tour.mistakes();
      await proxies(now, tour);
      await echoes(now, tour, plan);
      await otherFaults(now, tour);
      for (let round = 0; round < plan.kills; round++) await kill(now, tour, plan.firstRound + round);
      await settle(now);
      await freeze(now, store, tour);
      expectAllOperationsAsked(now);

      const parts = new Map([...(await store.contents())].map(([part, content]) => [`running: ${part}`, content]));
      expect(opened(now, await store.copy(now))).toEqual([]);
      const { child, exit } = now.run();
      child.kill('SIGTERM');
      expect((await exit).code).toBe(0);
      for (const [part, content] of await now.written()) parts.set(part, content);
      for (const [part, content] of await store.contents()) parts.set(part, content);
      parts.set('answers', Buffer.from(now.recorder.text()));
      // Spans and figures were there to be looked through.
      expect([...parts.values()].some((content) => content.includes('hpc_gateway.action'))).toBe(true);
      expect(now.recorder.text()).toContain('hpc_gateway_vendor_call_duration_seconds');
      const leaks = leaksIn(now, parts);
      expect([leaks.length, leaks.slice(0, MAX_SHOWN)]).toEqual([0, []]);
      expectLeaksToBeFound(now);
      expect(opened(now, await store.copy(now))).toEqual([]);
    },
    30 * 60_000,
  );
};
