/** Following the jobs of an account. */
import { setMaxListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import type { Adapter } from '../../src/adapter.js';
import { GatewayError } from '../../src/errors.js';
import { createJobs } from '../../src/writes/jobs.js';
import type { JobSource } from '../../src/writes/resource.js';
import { scaledClock } from '../support/fast-clock.js';

const SPEED = 40;
const clock = scaledClock(SPEED);
const account = (getJobs: NonNullable<Adapter['getJobs']>) => ({ name: 'a', vendor: 'memory', getJobs }) satisfies JobSource;
const following = (ms = 60_000) => ({ requestId: 'r', signal: new AbortController().signal, until: clock.now() + ms });

describe('following jobs', () => {
  it('ends as not listed when the vendor does not list the job', async () => {
    let looks = 0;
    const of = account(async (jobs) => {
      looks++;
      return jobs.map(() => ({ state: 'unknown' }));
    });
    expect(await createJobs(clock).end(of, 'j', following())).toMatchObject({
      job: 'unlisted',
      error: { code: 'vendor_bad_response', effect: 'open' },
    });
    expect(looks).toBeGreaterThanOrEqual(6);
  });

  it.each([
    new GatewayError('vendor_permission_denied', 'denied'),
    new GatewayError('vendor_bad_response', 'HTML'),
    new GatewayError('cluster_not_found', '2100'),
    new GatewayError('vendor_clock_skew', '1300'),
    new GatewayError('vendor_unavailable', '5100', { retryAfterMs: 1_000 }),
    new TypeError('a fault of the adapter'),
  ])('looks again after a look that failed: %s', async (error) => {
    let looks = 0;
    const of = account(async (jobs) => {
      if (++looks <= 3) throw error;
      return jobs.map(() => ({ state: 'succeeded' }));
    });
    expect(await createJobs(clock).end(of, 'j', following())).toEqual({ job: 'done' });
  });

  it('looks ever more seldom while looks fail, and says at the end that the job may be running', async () => {
    let looks = 0;
    const of = account(async () => {
      looks++;
      throw new GatewayError('vendor_unavailable', 'down');
    });
    expect(await createJobs(clock).end(of, 'j', following(60_000))).toMatchObject({
      job: 'running',
      error: { code: 'vendor_timeout', effect: 'open' },
    });
    expect(looks).toBeLessThanOrEqual(16);
  });

  it('takes the word of the vendor that the job failed', async () => {
    const of = account(async () => [{ state: 'failed', code: '5000' }]);
    expect(await createJobs(clock).end(of, 'j', following())).toMatchObject({
      job: 'failed',
      error: { code: 'cluster_agent_failed', effect: 'ended', vendor: { code: '5000' } },
    });
  });

  it('says that a job is still running when it is no longer followed', async () => {
    const of = account(async (jobs) => jobs.map(() => ({ state: 'pending' })));
    expect(await createJobs(clock).end(of, 'j', following(2_000))).toMatchObject({ job: 'running' });
  });

  it('asks for all jobs of an account together', async () => {
    const asked: number[] = [];
    const jobs = createJobs(clock);
    const of = account(async (names) => {
      asked.push(names.length);
      return names.map(() => ({ state: 'succeeded' }));
    });
    const shared = following();
    setMaxListeners(0, shared.signal);
    const ends = await Promise.all(Array.from({ length: 40 }, (_, at) => jobs.end(of, `j${at}`, shared)));
    expect(new Set(ends.map(({ job }) => job))).toEqual(new Set(['done']));
    expect(asked).toEqual([40]);
  });

  it('is not put off by jobs that keep coming', async () => {
    const jobs = createJobs(clock);
    let first: Promise<unknown> | undefined;
    let isOver = false;
    const of = account(async (names) => names.map(() => ({ state: 'succeeded' })));
    for (let at = 0; !isOver && at < 400; at++) {
      const end = jobs.end(of, `j${at}`, following());
      first ??= end.then(() => {
        isOver = true;
      });
      // Faster than the first look is due.
      await clock.sleep(50);
    }
    await first;
    expect(isOver).toBe(true);
  });

  it('leaves a vendor alone for as long as it asks, whatever comes', async () => {
    const at: number[] = [];
    const jobs = createJobs(clock);
    const of = account(async (names) => {
      at.push(clock.now());
      if (at.length === 1) throw new GatewayError('vendor_rate_limited', 'quota', { retryAfterMs: 20_000 });
      return names.map(() => ({ state: 'succeeded' }));
    });
    const first = jobs.end(of, 'a', following());
    while (at.length === 0) await clock.sleep(10);
    const second = jobs.end(of, 'b', following());
    expect([await first, await second]).toEqual([{ job: 'done' }, { job: 'done' }]);
    expect(at).toHaveLength(2);
    expect((at[1] as number) - (at[0] as number)).toBeGreaterThanOrEqual(19_900);
  });

  it('lets go of one job and follows the others', async () => {
    const jobs = createJobs(clock);
    const of = account(async (names) => names.map(() => ({ state: 'succeeded' })));
    const leaving = new AbortController();
    const left = jobs.end(of, 'a', { ...following(), signal: leaving.signal });
    const kept = jobs.end(of, 'b', following());
    leaving.abort();
    await expect(left).rejects.toMatchObject({ code: 'vendor_timeout' });
    expect(await kept).toEqual({ job: 'done' });
  });
});
