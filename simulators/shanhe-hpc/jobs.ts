import { type Fault, inventedName, takePage } from '../kit/index.js';
import { lowerText } from '../kit/random.js';
import type { Timers } from '../kit/timers.js';
import type { ShanheQuirks } from './quirks.js';
import { isDescending, pageOf } from './rules.js';
import { shortTime } from './state.js';
import type { ShanheCall } from './urls.js';

export interface Job {
  readonly id: string;
  readonly action: string;
  readonly describe: string;
  readonly clusterId: string;
  readonly owner: string;
  readonly createTime: string;
  /** False for a job that runs but that /operation never shows. */
  readonly listed: boolean;
  status: 'pending' | 'successful' | 'failed';
  statusTime: string;
  errorCodes: string;
}

export interface JobRequest {
  readonly action: string;
  readonly describe: string;
  readonly clusterId: string;
  readonly owner: string;
  /** The effect; false fails the job. */
  run(): boolean;
}

export interface Jobs {
  readonly all: readonly Job[];
  start(request: JobRequest, fault: Fault | null): string;
}

export const createJobs = (timers: Timers, now: () => Date, jobMs: number): Jobs => {
  const all: Job[] = [];
  return {
    all,
    start: ({ run, ...facts }, fault) => {
      const at = shortTime(now());
      const id = `j-${lowerText(11)}`;
      const listed = fault?.kind !== 'job_unlisted';
      const job: Job = { ...facts, id, createTime: at, listed, status: 'pending', statusTime: at, errorCodes: '' };
      all.push(job);
      if (fault?.kind === 'job_never_ends') return job.id;
      timers.after(fault?.kind === 'job_slow' ? (fault.delayMs ?? jobMs) : jobMs, () => {
        const good = fault?.kind !== 'job_fails' && run() && fault?.kind !== 'job_fails_after';
        job.status = good ? 'successful' : 'failed';
        job.statusTime = shortTime(now());
        job.errorCodes = good ? '' : '5000';
      });
      return job.id;
    },
  };
};

const rowOf = (job: Job) => ({
  job_id: job.id,
  job_action: job.action,
  action_describe: job.describe,
  status: job.status,
  create_time: job.createTime,
  status_time: job.statusTime,
  error_codes: job.errorCodes,
  owner: job.owner,
  resource_ids: job.clusterId,
  submitter: job.owner,
  task_count: null,
});

/** Several ids may be separated by commas or blanks; the syntax is not documented (11.12). */
const listed = (call: ShanheCall, name: string): string[] | null => {
  const raw = call.query.get(name) ?? '';
  return raw === '' ? null : raw.split(/[\s,]+/).filter((id) => id !== '');
};

const matches = (job: Job, call: ShanheCall, quirks: ShanheQuirks): boolean => {
  const ids = quirks.ignoreJobFilter ? null : (listed(call, 'job_ids') ?? listed(call, 'jobs'));
  const same = (name: string, value: string) => [undefined, '', value].includes(call.query.get(name));
  const resources = listed(call, 'resource_ids');
  return (
    job.listed &&
    (ids === null || ids.includes(job.id)) &&
    (resources === null || resources.includes(job.clusterId)) &&
    same('status', job.status) &&
    same('job_action', job.action) &&
    same('owner', job.owner)
  );
};

const inventedJob = (position: number): Job => ({
  id: `j-${inventedName(position)}`,
  action: 'HpcUserAddUser',
  describe: '添加用户',
  clusterId: '',
  owner: '',
  createTime: '2021-08-17T09:12:40Z',
  listed: true,
  status: 'pending',
  statusTime: '2021-08-17T09:12:40Z',
  errorCodes: '',
});

/** 4.5: both names of the id filter work (8.28). Newest first unless `reverse=0` asks otherwise. */
export const listOperations = (call: ShanheCall, fault: Fault | null, jobs: Jobs, quirks: ShanheQuirks) => {
  const found = jobs.all.filter((job) => matches(job, call, quirks));
  const ordered = isDescending(call, 1) || quirks.ignoreJobFilter ? found.toReversed() : found;
  const { total, rows } = takePage(ordered, pageOf(call, quirks, fault), fault, inventedJob);
  return { total, rows: rows.map(rowOf) };
};
