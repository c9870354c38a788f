/** One sick cluster harms no other: places and breakers by cluster. */
import { describe, expect, it } from '@jest/globals';
import { systemClock } from '../../src/clock.js';
import { GatewayError } from '../../src/errors.js';
import type { SendOptions } from '../../src/vendor/client.js';
import { createLines } from '../../src/vendor/lines.js';
import { scaledClock } from '../support/fast-clock.js';
import { until } from '../support/wait.js';

const OF_LINE = 16;
const OF_ACCOUNT = 128;

const readOf = (cluster: string | undefined, signal = new AbortController().signal): SendOptions => ({
  kind: 'read',
  action: 'List',
  cluster,
  call: { requestId: 'r', signal },
});
const down = async (): Promise<never> => {
  throw new GatewayError('vendor_unavailable', 'down');
};
const refused = { code: 'vendor_unavailable', effect: 'none', retryable: true };

/** A call that hangs until it is let go. */
const hanging = () => {
  const running = new Set<() => void>();
  let most = 0;
  const attempt = (): Promise<string> =>
    new Promise((resolve) => {
      const end = (): void => {
        running.delete(end);
        resolve('done');
      };
      running.add(end);
      most = Math.max(most, running.size);
    });
  const letGo = (): void => {
    for (const end of [...running]) end();
  };
  return { attempt, running, most: () => most, letGo };
};

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

describe('calls of one account', () => {
  it('to a cluster that hangs hold up none to others', async () => {
    const lines = createLines(systemClock);
    const { attempt, running, letGo } = hanging();
    const all = Promise.all(Array.from({ length: 100 }, () => lines.run(attempt, readOf('sick'))));
    await settled();
    expect(running.size).toBe(OF_LINE);
    expect(await lines.run(async () => 'well', readOf('other'))).toBe('well');
    expect(await lines.run(async () => 'well', readOf(undefined))).toBe('well');
    while (running.size > 0) {
      letGo();
      await settled();
    }
    expect(await all).toHaveLength(100);
  });

  it('have a bound together', async () => {
    const lines = createLines(systemClock);
    const { attempt, running, most, letGo } = hanging();
    const all = Promise.all(Array.from({ length: 20 * OF_LINE }, (_, at) => lines.run(attempt, readOf(`cluster ${at % 20}`))));
    await settled();
    while (running.size > 0) {
      letGo();
      await settled();
    }
    await all;
    expect(most()).toBe(OF_ACCOUNT);
  });

  it('that find no place until their deadline have sent nothing', async () => {
    const lines = createLines(systemClock);
    const { attempt, running, letGo } = hanging();
    for (let at = 0; at < OF_LINE; at++) lines.run(attempt, readOf('sick')).catch(() => undefined);
    const deadline = new AbortController();
    const late = expect(lines.run(attempt, readOf('sick', deadline.signal))).rejects.toMatchObject({
      code: 'vendor_timeout',
      effect: 'none',
    });
    await settled();
    deadline.abort();
    await late;
    letGo();
    await settled();
    expect(running.size).toBe(0);
  });
});

describe('the breaker', () => {
  it('of one cluster refuses no call to another', async () => {
    const lines = createLines(systemClock);
    for (let at = 0; at < 10; at++) await expect(lines.run(down, readOf('sick'))).rejects.toThrow('down');
    await expect(lines.run(async () => 'well', readOf('sick'))).rejects.toMatchObject(refused);
    expect(await lines.run(async () => 'well', readOf('other'))).toBe('well');
  });

  it('refuses at once, also where all places are taken', async () => {
    const lines = createLines(systemClock);
    const { attempt, letGo } = hanging();
    for (let at = 0; at < 5; at++) lines.run(attempt, readOf('sick')).catch(() => undefined);
    for (let at = 0; at < 10; at++) await expect(lines.run(down, readOf('sick'))).rejects.toThrow('down');
    for (let at = 0; at < 50; at++) await expect(lines.run(attempt, readOf('sick'))).rejects.toMatchObject(refused);
    letGo();
  });

  it('is closed by a probe whose caller has left', async () => {
    let now = 0;
    const lines = createLines({ ...scaledClock(100), now: () => now });
    for (let at = 0; at < 10; at++) await expect(lines.run(down, readOf('slow'))).rejects.toThrow('down');
    now += 5_000;
    const { attempt, running, letGo } = hanging();
    const leaving = new AbortController();
    const probe = expect(lines.run(attempt, readOf('slow', leaving.signal))).rejects.toMatchObject({ code: 'vendor_timeout' });
    await until(() => running.size === 1);
    leaving.abort();
    await probe;
    await expect(lines.run(async () => 'well', readOf('slow'))).rejects.toMatchObject(refused);
    letGo();
    await until(() => lines.run(async () => true, readOf('slow')).catch(() => false));
  });

  it('gives back what a call took of the budget that another probe kept from being sent', async () => {
    let now = 0;
    let taken = 0;
    const budget = {
      take: async (): Promise<void> => {
        taken++;
        await settled();
      },
      giveBack: async (): Promise<void> => void taken--,
      noteRefusal: () => undefined,
    };
    const lines = createLines({ ...systemClock, now: () => now }, { budget });
    for (let at = 0; at < 10; at++) await expect(lines.run(down, readOf('slow'))).rejects.toThrow('down');
    now += 5_000;
    taken = 0;
    const { attempt, running, letGo } = hanging();
    const probe = lines.run(attempt, readOf('slow'));
    await expect(lines.run(attempt, readOf('slow'))).rejects.toMatchObject(refused);
    expect([taken, running.size]).toEqual([1, 1]);
    letGo();
    await probe;
  });
});
