/** Following the jobs of vendors: all jobs of an account are asked for together, so that many cost few calls. */
import type { Call, JobState } from '../adapter.js';
import type { Clock } from '../clock.js';
import { deadlinePassed, pollDelay } from '../deadline.js';
import { asGatewayError, GatewayError } from '../errors.js';
import type { JobSource } from './resource.js';
import type { Job } from './verdict.js';

const FIRST_POLL_MS = 150;
const MAX_POLL_MS = 5_000;
/** Looks that fail are repeated ever more slowly. */
const MAX_FAILED_LOOK_MS = 30_000;
/** Between two looks there is this much more for every job: a hundred of them are looked for every second and a half. */
const PAUSE_PER_JOB_MS = 15;
/** A vendor may list a job later than it names it: it is given up after so many looks in a row, and so long. */
const LOOKS_UNTIL_LISTED = 6;
const LISTED_MS = 10_000;
/** A vendor lists so many jobs in one call; with more, looks are that much rarer. */
const JOBS_PER_CALL = 100;
const MAX_JOBS_PER_LOOK = 1_000;
const LOOK_MS = 60_000;

/** How long a job is followed, and on whose behalf. */
export interface Following extends Call {
  /** In milliseconds since 1970. */
  readonly until: number;
}

/** How a job ended, or `running` when it has not by then; with what is known of a failure. */
export interface JobEnd {
  readonly job: Exclude<Job, 'unknown'>;
  readonly error?: GatewayError;
}

interface Follower extends Following {
  readonly job: string;
  readonly since: number;
  looks: number;
  unlisted: number;
  resolve(end: JobEnd): void;
  reject(error: GatewayError): void;
}

export interface Jobs {
  /**
   * Resolves when the vendor's job has ended, or when it is followed no longer. A look that fails, in whatever way, says nothing about
   * the job: the looks go on.
   * @throws vendor_timeout when the signal aborts
   */
  end(account: JobSource, job: string, following: Following): Promise<JobEnd>;
}

const jobFailed = (account: JobSource, code: string | null): GatewayError =>
  new GatewayError('cluster_agent_failed', "The vendor's job failed.", {
    vendor: { name: account.vendor, code, message: null, requestId: null, status: null },
  });

const notEnded = (): GatewayError => new GatewayError('vendor_timeout', "The vendor's job has not ended in time.");

const notListed = (): GatewayError =>
  new GatewayError('vendor_bad_response', 'The vendor does not say how the job that it named has ended.');

/** The jobs of one account, each with those who follow it. */
const createWatch = (account: JobSource, getJobs: NonNullable<JobSource['getJobs']>, clock: Clock) => {
  const followers = new Map<string, Set<Follower>>();
  let looking = false;
  /** Wakes the loop before its next look is due. */
  let wake = new AbortController();
  /** When the next look is, in milliseconds since 1970. */
  let dueAt = Number.POSITIVE_INFINITY;
  /** What the vendor asked to wait for at the last look. */
  let askedMs = 0;
  let failedLooks = 0;

  const followersOf = (job: string): Follower[] => [...(followers.get(job) ?? [])];
  const all = (): Follower[] => [...followers.values()].flatMap((some) => [...some]);

  const judge = (follower: Follower, state: JobState): void => {
    follower.looks++;
    if (state.state === 'succeeded') follower.resolve({ job: 'done' });
    else if (state.state === 'failed') follower.resolve({ job: 'failed', error: jobFailed(account, state.code) });
    else if (state.state !== 'unknown') follower.unlisted = 0;
    else if (++follower.unlisted >= LOOKS_UNTIL_LISTED && clock.now() >= follower.since + LISTED_MS)
      follower.resolve({ job: 'unlisted', error: notListed() });
  };

  /** @returns what the vendor asks to wait for, in milliseconds */
  const lookAt = async (jobs: readonly string[]): Promise<number> => {
    const [asker] = jobs.flatMap(followersOf);
    if (!asker) return 0;
    const { requestId, purpose = 'write', owner, tally } = asker;
    try {
      const states = await getJobs(jobs, {
        requestId,
        purpose,
        ...(owner !== undefined && { owner }),
        ...(tally && { tally }),
        signal: clock.timeout(LOOK_MS),
      });
      failedLooks = 0;
      jobs.forEach((job, at) => {
        for (const follower of followersOf(job)) judge(follower, states[at] ?? { state: 'unknown' });
      });
      return 0;
    } catch (thrown) {
      failedLooks++;
      return asGatewayError(thrown).retryAfterMs ?? 0;
    }
  };

  const endThoseDue = (): void => {
    for (const follower of all()) if (clock.now() >= follower.until) follower.resolve({ job: 'running', error: notEnded() });
  };

  const lookAtAll = async (): Promise<number> => {
    const jobs = [...followers.keys()];
    let wait = 0;
    for (let from = 0; from < jobs.length; from += MAX_JOBS_PER_LOOK)
      wait = Math.max(wait, await lookAt(jobs.slice(from, from + MAX_JOBS_PER_LOOK)));
    return wait;
  };

  /** The next look: soon for a new job, seldom for many, and never later than somebody stops following. */
  const delayMs = (): number => {
    const youngest = Math.min(...all().map(({ looks }) => looks));
    const calls = Math.max(Math.ceil(followers.size / JOBS_PER_CALL), 1);
    const normal = Math.max(pollDelay(youngest, FIRST_POLL_MS, MAX_POLL_MS) * calls, followers.size * PAUSE_PER_JOB_MS);
    const failed = failedLooks === 0 ? 0 : pollDelay(failedLooks, FIRST_POLL_MS, MAX_FAILED_LOOK_MS);
    const due = Math.min(...all().map(({ until }) => until)) - clock.now();
    return Math.max(Math.min(Math.max(normal, failed, askedMs), due), 0);
  };

  const watch = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    while (followers.size > 0) {
      wake = new AbortController();
      dueAt = Math.min(dueAt, clock.now() + delayMs());
      await clock.sleep(dueAt - clock.now(), wake.signal);
      if (wake.signal.aborted) continue;
      dueAt = Number.POSITIVE_INFINITY;
      askedMs = await lookAtAll();
      endThoseDue();
    }
    dueAt = Number.POSITIVE_INFINITY;
    looking = false;
  };

  /** A new job may be due before the others; a vendor that asked for a pause gets it. */
  const begin = (): void => {
    if (!looking) {
      void watch();
      return;
    }
    const due = clock.now() + delayMs();
    if (askedMs > 0 || due >= dueAt) return;
    dueAt = due;
    wake.abort();
  };

  const leave = (follower: Follower): void => {
    const some = followers.get(follower.job);
    some?.delete(follower);
    if (some?.size === 0) followers.delete(follower.job);
    if (followers.size === 0) wake.abort();
  };

  return (job: string, following: Following): Promise<JobEnd> =>
    new Promise<JobEnd>((resolve, reject) => {
      if (following.signal.aborted) {
        reject(deadlinePassed());
        return;
      }
      const onAbort = (): void => follower.reject(deadlinePassed());
      const over = (): void => {
        leave(follower);
        following.signal.removeEventListener('abort', onAbort);
      };
      const follower: Follower = {
        ...following,
        job,
        since: clock.now(),
        looks: 0,
        unlisted: 0,
        resolve: (end) => {
          over();
          resolve(end);
        },
        reject: (error) => {
          over();
          reject(error);
        },
      };
      followers.set(job, (followers.get(job) ?? new Set()).add(follower));
      following.signal.addEventListener('abort', onAbort, { once: true });
      begin();
    });
};

export const createJobs = (clock: Clock): Jobs => {
  const watches = new Map<string, ReturnType<typeof createWatch>>();

  return {
    end: async (account, job, following) => {
      const { getJobs, name } = account;
      if (!getJobs) throw new GatewayError('internal_error', `The adapter ${account.vendor} names a job but cannot follow it.`);
      const watch = watches.get(name) ?? createWatch(account, getJobs, clock);
      watches.set(name, watch);
      return watch(job, following);
    },
  };
};
