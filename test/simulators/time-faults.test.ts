import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ShanheHpcSimulator } from '../../simulators/shanhe-hpc/index.js';
import { EHPC_CLUSTER, SHANHE_CLUSTER, type Side, startEhpc, startShanhe, VENDORS } from './support/both.js';
import { acs3 } from './support/ehpc-client.js';
import { sleep } from './support/http.js';
import { finishJob, get, post } from './support/shanhe-client.js';

const until = async (condition: () => boolean) => {
  while (!condition()) await sleep(5);
};

describe.each(VENDORS)('%s', (vendor, make) => {
  let side: Side;
  beforeEach(async () => {
    side = await make();
  });
  afterEach(() => side.simulator.close());
  const created = () => side.simulator.journal.map(({ username }) => username);

  test('drip sends the whole answer slowly, after the effect', async () => {
    side.simulator.inject({ kind: 'drip', delayMs: 1 });
    const from = performance.now();
    const reply = await side.write('newuser1');
    expect(reply.status).toBe(200);
    expect(performance.now() - from).toBeGreaterThanOrEqual(JSON.stringify(reply.json).length * 0.9);
    expect(side.simulator.calls.at(-1)).toMatchObject({ faulted: 'drip', status: 200, code: 'OK' });
    await until(() => created().length === 1);
  });

  test('drip sends headers at once, and close ends it', async () => {
    side.simulator.inject({ kind: 'drip' });
    const slow = side.write('newuser1', { timeoutMs: 60_000 });
    const broken = expect(slow).rejects.toThrow();
    await until(() => created().length === 1);
    await side.simulator.close();
    await broken;
  });

  test('late_effect resets at once and takes effect later', async () => {
    side.simulator.inject({ kind: 'late_effect', delayMs: 60 });
    await side.page(1, 10);
    const from = performance.now();
    await expect(side.write('newuser1')).rejects.toThrow();
    expect(side.simulator.calls.at(-1)).toMatchObject({ faulted: 'late_effect', status: 0, code: 'NONE' });
    await until(() => created().length === 1);
    expect(performance.now() - from).toBeGreaterThanOrEqual(59);
    expect((await side.page(1, 10)).names).toEqual(['newuser1']);
  });

  test('an effect that is late does not come after close', async () => {
    side.simulator.inject({ kind: 'late_effect', delayMs: 300 });
    await expect(side.write('newuser1')).rejects.toThrow();
    await side.simulator.close();
    await sleep(330);
    expect(created()).toEqual([]);
  });

  test('forMs hits every matching call from the first hit on, then no more', async () => {
    side.simulator.inject({
      kind: 'http_status',
      status: 503,
      code: vendor === 'E-HPC' ? 'ServiceUnavailable' : '5100',
      forMs: 80,
    });
    await sleep(100);
    const from = performance.now();
    let failed = 0;
    while ((await side.write(`user${failed}ab`)).status === 503) failed += 1;
    expect(performance.now() - from).toBeGreaterThanOrEqual(79);
    expect(failed).toBeGreaterThanOrEqual(1);
    await until(() => created().length === 1);
  });

  test('forMs with times ends with whichever comes first', async () => {
    side.simulator.inject({ kind: 'http_status', status: 503, forMs: 60_000, times: 2 });
    const statuses: number[] = [];
    for (const name of ['one111', 'two222', 'three3']) statuses.push((await side.write(name)).status);
    expect(statuses).toEqual([503, 503, 200]);
  });

  test.each(['Fri, 31 Dec 1999 23:59:59 GMT', '0', 'Infinity', '1e9', '-5', 'soon'])('Retry-After: %s', async (retryAfter) => {
    const code = vendor === 'E-HPC' ? 'InternalError' : '5100';
    for (const fault of [{ kind: 'throttle' }, { kind: 'vendor_error', code }, { kind: 'http_status', status: 502 }] as const) {
      side.simulator.inject({ ...fault, retryAfter });
      const { headers } = await side.write('newuser1');
      expect(headers['retry-after']).toBe(retryAfter);
    }
  });

  test('the Date header can be wrong by itself', async () => {
    const { simulator } = side;
    const dateOff = async () => Date.parse(String((await side.write('newuser1')).headers['date'])) - Date.now();
    simulator.setClockSkew(0, { dateMs: 600_000 });
    expect(Math.abs((await dateOff()) - 600_000)).toBeLessThan(30_000);
    simulator.setClockSkew(-4_000, { dateMs: 600_000 });
    expect(Math.abs((await dateOff()) - 600_000)).toBeLessThan(30_000);
    expect(Date.parse(simulator.calls.at(-1)?.at ?? '')).toBeLessThanOrEqual(Date.now() - 4_000);
    simulator.setClockSkew(-600_000, { dateHeader: 'true' });
    expect(Math.abs(await dateOff())).toBeLessThan(30_000);
    simulator.setClockSkew(-600_000, { dateMs: 0 });
    expect(Math.abs(await dateOff())).toBeLessThan(30_000);
    simulator.setClockSkew(0, { dateHeader: 'none', dateMs: 600_000 });
    expect(await dateOff()).toBeNaN();
  });
});

test('drip: headers arrive before the first byte', async () => {
  const simulator = await startShanhe();
  simulator.inject({ kind: 'drip', delayMs: 60_000 });
  let url = '';
  const signOnly = (sent: { url: string }) => {
    url = sent.url;
    throw new Error('signed, not sent');
  };
  await expect(get(simulator, '/user', {}, { spoil: signOnly })).rejects.toThrow('signed, not sent');
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const call = request(url, (response) => {
      response.on('error', () => undefined);
      resolve(response.statusCode);
    });
    call.on('error', reject);
    call.end();
  });
  expect(status).toBe(200);
  await simulator.close();
});

test('E-HPC sends Retry-After in the headers asked for', async () => {
  const simulator = await startEhpc();
  const headersFor = async (fault: object) => {
    simulator.inject({ kind: 'throttle', ...fault });
    const { headers } = await acs3(simulator, 'ListUsers', { ClusterId: EHPC_CLUSTER });
    return [headers['retry-after'], headers['x-acs-retry-after']];
  };
  expect(await headersFor({ retryAfterSeconds: 2 })).toEqual(['2', '2000']);
  expect(await headersFor({ retryAfterSeconds: 2, retryAfterHeader: 'standard' })).toEqual(['2', undefined]);
  expect(await headersFor({ retryAfterSeconds: 2, retryAfterHeader: 'vendor' })).toEqual([undefined, '2000']);
  expect(await headersFor({ retryAfter: 'soon' })).toEqual(['soon', 'soon']);
  expect(await headersFor({ retryAfter: '1e9', retryAfterHeader: 'standard' })).toEqual(['1e9', undefined]);
  await simulator.close();
});

describe('Shanhe jobs', () => {
  let simulator: ShanheHpcSimulator;
  beforeEach(async () => {
    simulator = await startShanhe();
  });
  afterEach(() => simulator.close());
  const add = async (username: string) => {
    const reply = await post(simulator, '/user/addUser', { cluster_id: SHANHE_CLUSTER, username, password: 'kUISjs@kkkkkk!' });
    return reply.json['job_id'];
  };

  test('job_unlisted takes effect but is in no list', async () => {
    simulator.inject({ kind: 'job_unlisted' });
    const hidden = await add('hidden');
    const listed = await add('listed');
    expect(await finishJob(simulator, listed)).toBe('successful');
    await until(() => simulator.journal.length === 2);
    for (const params of [{ job_ids: String(hidden) }, {}]) {
      const { json } = await get(simulator, '/operation', params);
      expect(JSON.stringify(json['job_set'])).not.toContain(String(hidden));
    }
  });

  test('job_slow takes its own time', async () => {
    simulator.inject({ kind: 'job_slow', delayMs: 80 });
    const from = performance.now();
    expect(await finishJob(simulator, await add('slow'))).toBe('successful');
    expect(performance.now() - from).toBeGreaterThanOrEqual(79);
  });

  test('short_page and endless_list of /operation must be named', async () => {
    const jobs = [await add('one'), await add('two')];
    const list = async () => (await get(simulator, '/operation')).json['job_set'] as { job_id: string }[];
    simulator.inject({ kind: 'short_page', rows: 1, action: '/operation' });
    expect(await list()).toMatchObject([{ job_id: jobs[1] }]);
    simulator.inject({ kind: 'endless_list', action: '/operation' });
    expect(await list()).toHaveLength(10);
    simulator.inject({ kind: 'endless_list' });
    expect(await list()).toHaveLength(2);
  });
});
