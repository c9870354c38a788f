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

/** The jobs of one account. */
const watch = (account: Account, getJobs: NonNullable<Account['adapter']['getJobs']>) => {
  const waiting = new Map<string, Waiting>();
  let timer: NodeJS.Timeout | undefined;
  let looking = false;

  const lookAt = async (jobs: readonly string[]): Promise<number> => {
    const [first] = jobs;
    const asker = waiting.get(first as string);
    if (!asker) return 0;
    try {
      const states = await getJobs(jobs, { requestId: asker.requestId, signal: AbortSignal.timeout(60_000) });
      jobs.forEach((job, at) => {
        const one = waiting.get(job);
        if (one) judge(account, one, states[at] ?? { state: 'unknown' });
      });
      return 0;
    } catch (thrown) {
      const error = asGatewayError(thrown);
      for (const job of jobs) {
        const one = waiting.get(job);
        // What fails here is the looking, not the job.
        if (!error.retryable) one?.reject(error.withEffect('open'));
        else if (one && Date.now() >= one.until) one.resolve('running');
      }
      return error.retryAfterMs ?? 0;
    }
  };

  const look = async (): Promise<void> => {
    looking = true;
    const jobs = [...waiting.keys()];
    let wait = 0;
    for (let from = 0; from < jobs.length; from += MOST_AT_ONCE)
      wait = Math.max(wait, await lookAt(jobs.slice(from, from + MOST_AT_ONCE)));
    looking = false;
    plan(wait);
  };

  const plan = (atLeastMs: number): void => {
    clearTimeout(timer);
    if (waiting.size === 0 || looking) return;
    const youngest = Math.min(...[...waiting.values()].map(({ polls }) => polls));
    const delay = Math.max(pollDelay(youngest, FIRST_POLL_MS, LONGEST_POLL_MS), waiting.size * PAUSE_A_JOB_MS, atLeastMs);
    timer = setTimeout(() => void look(), delay);
  };

  return (job: string, patience: Patience): Promise<'done' | 'running'> =>
    new Promise<'done' | 'running'>((resolve, reject) => {
      const giveUp = (): void => one.reject(deadlinePassed());
      const over = (): void => {
        waiting.delete(job);
        patience.signal.removeEventListener('abort', giveUp);
        if (waiting.size === 0) clearTimeout(timer);
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
      waiting.set(job, one);
      patience.signal.addEventListener('abort', giveUp, { once: true });
      if (timer === undefined || waiting.size === 1) plan(0);
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
