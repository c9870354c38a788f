/** Plans of requests, made from the document, sent several at a time; a plan that is answered wrongly is shrunk. */
import fc from 'fast-check';
import type { Fault } from '../../simulators/kit/index.js';
import { printedSeed, type Seed } from '../support/seed.js';
import { jsonOf, valuesOf, type WireAnswer } from '../support/wire.js';
import { type Circumstances, checkExchange } from './check.js';
import { type Draft, drafts, type Kept, openings } from './draft.js';
import { prepare, type Sent, toCurl, transmit } from './sending.js';
import type { World } from './world.js';

/** Plans at a time. */
export const LANES = 16;
const MAX_STEPS = 12;
/** Of the steps of a plan, on average. */
const MEAN_STEPS = 8;
const MAX_SHRINKING_MS = 30_000;

/** A gateway to send requests to. */
export type Target = Omit<World, 'health' | 'close'>;

export interface Tally {
  sent: number;
  slowestMs: number;
  /** By status and code. */
  readonly outcomes: Map<string, number>;
}

export const createTally = (): Tally => ({ sent: 0, slowestMs: 0, outcomes: new Map() });

interface Step {
  readonly draft: Draft;
  /** How often it is sent at once. */
  readonly copies: number;
  readonly fault: { readonly vendor: number; readonly fault: Fault } | undefined;
}

const KINDS: readonly Fault['kind'][] = [
  ...(['throttle', 'vendor_error', 'error_after', 'http_status', 'html', 'cut_json', 'wrong_shape'] as const),
  ...(['reset_before', 'reset_after', 'hang', 'hang_after', 'late_effect', 'short_page', 'hole_page'] as const),
];

const faults: fc.Arbitrary<Step['fault']> = fc.record({
  vendor: fc.nat(1),
  fault: fc.record({ kind: fc.constantFrom(...KINDS), times: fc.integer({ min: 1, max: 3 }) }),
});

const rarely = <T>(usual: T, weight: number, other: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other });

const plansFor = (isFaulty: boolean): fc.Arbitrary<readonly Step[]> => {
  const none = fc.constant(undefined);
  const step: fc.Arbitrary<Step> = fc.record({
    draft: drafts,
    fault: isFaulty ? rarely<Step['fault']>(undefined, 6, faults) : none,
    copies: rarely(1, 10, fc.constantFrom(2, 3)),
  });
  return fc
    .tuple(openings, fc.array(step, { minLength: 1, maxLength: MAX_STEPS, size: 'max' }))
    .map(([opening, steps]) => [...opening.map((draft): Step => ({ draft, fault: undefined, copies: 1 })), ...steps]);
};

/** Ids of the answer, for requests after it. */
const keep = (kept: Kept, answer: WireAnswer): void => {
  const body = jsonOf(answer) as Readonly<Record<string, unknown>> | undefined;
  const [etag] = valuesOf(answer, 'etag');
  if (etag !== undefined) kept['{{etag}}'] = etag;
  const { nextCursor, operationId, username, kind, id } = body ?? {};
  if (typeof nextCursor === 'string') kept['{{cursor}}'] = nextCursor;
  if (typeof username === 'string') kept['{{username}}'] = username;
  const operation = operationId ?? (kind === undefined ? undefined : id);
  if (typeof operation === 'string') kept['{{operationId}}'] = operation;
};

const count = (tally: Tally, ms: number, answer: WireAnswer | undefined): void => {
  tally.sent++;
  tally.slowestMs = Math.max(tally.slowestMs, ms);
  if (!answer) return;
  const { code } = (jsonOf(answer) ?? {}) as { readonly code?: unknown };
  const outcome = answer.status < 400 ? String(answer.status) : `${answer.status} ${String(code ?? '')}`;
  tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + 1);
};

const inject = ({ simulators }: Target, { vendor, fault }: Exclude<Step['fault'], undefined>): void => {
  try {
    simulators[vendor]?.inject(fault);
  } catch {
    // Not every vendor can show every fault.
  }
};

let plans = 0;

/** @throws with the request that was answered wrongly */
const runPlan = async (world: Target, circumstances: Circumstances, tally: Tally, steps: readonly Step[]): Promise<void> => {
  const kept: Kept = {
    '{{operationId}}': `op_${'1'.repeat(32)}`,
    '{{cursor}}': 'eyJ9',
    '{{etag}}': '"none"',
    '{{username}}': `fuzz${1_000 + plans}`,
    '{{key}}': `key-${plans++}`,
  };
  const before: Sent[] = [];
  for (const { draft, fault, copies } of steps) {
    if (fault) inject(world, fault);
    const sent = prepare(draft, world.credentials, kept);
    const commands = (): string => [...before, sent].map((each) => toCurl(world.url, each, world.keyNames)).join('\n');
    const exchanges = await Promise.all(Array.from({ length: copies }, () => transmit(world.url, sent)));
    for (const got of exchanges) {
      try {
        const answer = checkExchange(sent, got, circumstances);
        count(tally, got.ms, answer);
        if (answer) keep(kept, answer);
      } catch (error) {
        throw new Error(`${(error as Error).message}\n\n${commands()}`);
      }
    }
    before.push(sent);
    if (world.complaints().length > 0) throw new Error(`${world.complaints().join('\n')}\n\n${commands()}`);
  }
};

interface Lane {
  readonly seed: number;
  readonly path?: string;
  readonly tries: number;
  readonly maxShrinkingMs: number;
  /** Shared by all lanes: when one has found something, the others end. */
  readonly progress: { hasFailed: boolean };
}

/** @returns what was wrong, shrunk; undefined where nothing was */
const runLane = async (
  plan: fc.Arbitrary<readonly Step[]>,
  run: (steps: readonly Step[]) => Promise<void>,
  { seed, path, tries, maxShrinkingMs, progress }: Lane,
): Promise<string | undefined> => {
  let stopAt = Number.POSITIVE_INFINITY;
  let last: Error | undefined;
  const property = fc.asyncProperty(plan, async (steps) => {
    // A failure is shrunk for so long, and no longer.
    if (performance.now() > stopAt || (progress.hasFailed && !last)) return;
    try {
      await run(steps);
    } catch (error) {
      if (stopAt === Number.POSITIVE_INFINITY) stopAt = performance.now() + maxShrinkingMs;
      last = error as Error;
      progress.hasFailed = true;
      throw error;
    }
  });
  const { failed, counterexamplePath, numShrinks } = await fc.check(property, {
    seed,
    numRuns: tries,
    ...(path !== undefined && { path }),
  });
  if (!failed) return undefined;
  return `${printedSeed(seed, counterexamplePath)} (shrunk ${numShrinks} times)\n${last?.message}`;
};

export interface Exploration {
  readonly circumstances: Circumstances;
  readonly requests: number;
  readonly from: Seed;
  readonly tally: Tally;
  /** Of the search for a smaller failure. */
  readonly maxShrinkingMs?: number;
}

/** @returns what was answered wrongly, with the way to repeat it; '' where nothing was */
export const explore = async (
  world: Target,
  { circumstances, requests, from: { seed, path }, tally, maxShrinkingMs = MAX_SHRINKING_MS }: Exploration,
): Promise<string> => {
  const plan = plansFor(circumstances.isFaulty);
  const run = (steps: readonly Step[]): Promise<void> => runPlan(world, circumstances, tally, steps);
  const tries = Math.max(Math.ceil(requests / LANES / MEAN_STEPS), 1);
  const progress = { hasFailed: false };
  const ends = await Promise.all(
    Array.from({ length: path === undefined ? LANES : 1 }, (_, index) =>
      runLane(plan, run, { seed: seed + index, tries, maxShrinkingMs, progress, ...(path !== undefined && { path }) }),
    ),
  );
  return ends.filter((end) => end !== undefined).join('\n\n');
};
