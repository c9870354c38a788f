/** Following the jobs of vendors: all jobs of an account are asked for together, so that many cost few calls. */
import type { Call, JobState, Receipt } from '../../adapter.js';
import { deadlinePassed, pollDelay } from '../../deadline.js';
import { asGatewayError, GatewayError } from '../../errors.js';
import type { Account } from '../../registry.js';

const FIRST_POLL_MS = 150;
const LONGEST_POLL_MS = 5_000;
/** Between two looks there is this much more for every job: a hundred of them are looked for once a second. */
const PAUSE_A_JOB_MS = 10;
/** A vendor may list a job a little later than it names it. */
const POLLS_UNTIL_LISTED = 6;
const MOST_AT_ONCE = 100;
const LOOK_MS = 60_000;

/** How long a job is followed, and on whose behalf. */
export interface Patience extends Call {
  /** In milliseconds since 1970. */
  readonly until: number;
}

interface Waiting extends Patience {
  polls: number;
  unlisted: number;
  resolve(state: 'done' | 'running'): void;
  reject(error: GatewayError): void;
}

export interface Jobs {
  /**
   * Resolves with `done` when what the vendor took is done, with `running` when it is not by then. An outage while following is no
   * verdict on the job: the looks go on.
   * @throws cluster_agent_failed when the job failed; vendor_bad_response when the vendor does not list it; both to be settled by
   * reading back
   */
  completed(account: Account, receipt: Receipt, patience: Patience): Promise<'done' | 'running'>;
}

const failed = (account: Account, code: string | null): GatewayError =>
  new GatewayError('cluster_agent_failed', "The vendor's job failed.", {
    vendor: { name: account.module.vendor, code, message: null, requestId: null, status: null },
  });

const judge = (account: Account, waiting: Waiting, state: JobState): void => {
  waiting.polls++;
  if (state.state === 'succeeded') waiting.resolve('done');
  else if (state.state === 'failed') waiting.reject(failed(account, state.code));
  else if (state.state === 'unknown' && ++waiting.unlisted >= POLLS_UNTIL_LISTED)
    waiting.reject(new GatewayError('vendor_bad_response', 'The vendor does not list the job that it named.'));
  else if (Date.now() >= waiting.until) waiting.resolve('running');
};

/** The jobs of one account, each with those who wait for it. */
const watch = (account: Account, getJobs: NonNullable<Account['adapter']['getJobs']>) => {
  const waiting = new Map<string, Set<Waiting>>();
  let timer: NodeJS.Timeout | undefined;
  let dueAt = Number.POSITIVE_INFINITY;
  let looking = false;

  const waitersOf = (job: string): Waiting[] => [...(waiting.get(job) ?? [])];

  const lookAt = async (jobs: readonly string[]): Promise<number> => {
    const [asker] = jobs.flatMap(waitersOf);
    if (!asker) return 0;
    try {
      const states = await getJobs(jobs, { requestId: asker.requestId, signal: AbortSignal.timeout(LOOK_MS) });
      jobs.forEach((job, at) => {
        for (const one of waitersOf(job)) judge(account, one, states[at] ?? { state: 'unknown' });
      });
      return 0;
    } catch (thrown) {
      const error = asGatewayError(thrown);
      for (const one of jobs.flatMap(waitersOf)) {
        // What fails here is the looking, not the job.
        if (!error.retryable) one.reject(error.withEffect('open'));
        else if (Date.now() >= one.until) one.resolve('running');
      }
      return error.retryAfterMs ?? 0;
    }
  };

  const look = async (): Promise<void> => {
    looking = true;
    dueAt = Number.POSITIVE_INFINITY;
    const jobs = [...waiting.keys()];
    let wait = 0;
    for (let from = 0; from < jobs.length; from += MOST_AT_ONCE)
      wait = Math.max(wait, await lookAt(jobs.slice(from, from + MOST_AT_ONCE)));
    looking = false;
    plan(wait);
  };

  /** The next look: soon for a new job, at most so often for many. One that is due earlier stays so. */
  const plan = (atLeastMs: number): void => {
    if (waiting.size === 0 || looking) return;
    const youngest = Math.min(...[...waiting.values()].flatMap((all) => [...all]).map(({ polls }) => polls));
    const delay = Math.max(pollDelay(youngest, FIRST_POLL_MS, LONGEST_POLL_MS), waiting.size * PAUSE_A_JOB_MS, atLeastMs);
    if (Date.now() + delay >= dueAt) return;
    clearTimeout(timer);
    dueAt = Date.now() + delay;
    timer = setTimeout(() => void look(), delay);
  };

  const leave = (job: string, one: Waiting): void => {
    const all = waiting.get(job);
    all?.delete(one);
    if (all?.size === 0) waiting.delete(job);
    if (waiting.size > 0) return;
    clearTimeout(timer);
    dueAt = Number.POSITIVE_INFINITY;
  };

  return (job: string, patience: Patience): Promise<'done' | 'running'> =>
    new Promise<'done' | 'running'>((resolve, reject) => {
      const giveUp = (): void => one.reject(deadlinePassed());
      const over = (): void => {
        leave(job, one);
        patience.signal.removeEventListener('abort', giveUp);
      };
      const one: Waiting = {
        ...patience,
        polls: 0,
        unlisted: 0,
        resolve: (state) => {
          over();
          resolve(state);
        },
        reject: (error) => {
          over();
          reject(error);
        },
      };
      if (patience.signal.aborted) {
        reject(deadlinePassed());
        return;
      }
      waiting.set(job, (waiting.get(job) ?? new Set()).add(one));
      patience.signal.addEventListener('abort', giveUp, { once: true });
      plan(0);
    });
};

export const createJobs = (): Jobs => {
  const watches = new Map<Account, ReturnType<typeof watch>>();

  return {
    completed: async (account, receipt, patience) => {
      if (receipt.state === 'applied') return 'done';
      const { getJobs } = account.adapter;
      if (!getJobs)
        throw new GatewayError('internal_error', `The adapter ${account.module.vendor} names a job but cannot follow it.`);
      const follow = watches.get(account) ?? watch(account, getJobs);
      watches.set(account, follow);
      return follow(receipt.job, patience);
    },
  };
};
