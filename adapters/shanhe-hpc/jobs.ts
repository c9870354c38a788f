/** The jobs of an account are listed together, the newest first, those of other parties too. */
import type { Call } from '../../src/adapter.js';
import { text } from '../../src/wire.js';
import { MAX_PAGE_SIZE } from './capabilities.js';
import type { ShanheClient } from './client.js';
import type { HpcJob } from './types.js';

/** Pages more than the jobs asked for would fill: others have jobs too. */
const SPARE_PAGES = 2;

/** Those of the jobs that are found, by id. A bounded number of calls, however many jobs the account has. */
export const readJobs = async (client: ShanheClient, jobs: readonly string[], call: Call): Promise<Map<string, HpcJob>> => {
  const maxPages = Math.ceil(jobs.length / MAX_PAGE_SIZE) + SPARE_PAGES;
  const wanted = new Set(jobs);
  const known = new Map<string, HpcJob>();
  for (let page = 0; page < maxPages && known.size < wanted.size; page++) {
    const listed = await client.listJobs({ start: page * MAX_PAGE_SIZE, size: MAX_PAGE_SIZE }, call);
    for (const job of listed) {
      const id = job && text(job.job_id);
      if (job && id && wanted.has(id)) known.set(id, job);
    }
    if (listed.length < MAX_PAGE_SIZE) break;
  }
  return known;
};
