/** What an account may call in a window of time, and who keeps a part of it. */
import { describe, expect, it } from '@jest/globals';
import type { Purpose } from '../../src/adapter.js';
import { systemClock } from '../../src/clock.js';
import type { GatewayError } from '../../src/errors.js';
import { createLimiters } from '../../src/limiters.js';
import { createBudget } from '../../src/vendor/budget.js';

const CALLS = 100;
const SECONDS = 3_600;

const budgetOf = (calls = CALLS, perSeconds = SECONDS) => {
  const budget = createBudget('jinan', { calls, perSeconds }, createLimiters(undefined), systemClock);
  const takeFor = (purpose: Purpose): Promise<void> => budget.take('List', purpose);
  /** How many calls are had of so many that are tried at once. */
  const had = async (purpose: Purpose, tries: number): Promise<number> => {
    const all = await Promise.allSettled(Array.from({ length: tries }, () => takeFor(purpose)));
    return all.filter(({ status }) => status === 'fulfilled').length;
  };
  return { ...budget, takeFor, had };
};

const refusalOf = async (taken: Promise<void>): Promise<GatewayError> =>
  taken.then(
    () => {
      throw new Error('it was not refused');
    },
    (thrown: GatewayError) => thrown,
  );

describe('the budget of an account', () => {
  it('leaves a fifth to writes and a tenth to batches, however many read at once', async () => {
    const { had, takeFor } = budgetOf();
    expect(await had('read', 200)).toBe(70);
    const refusal = await refusalOf(takeFor('read'));
    expect(refusal).toMatchObject({ code: 'vendor_rate_limited', effect: 'none', retryable: true });
    expect(refusal.retryAfterMs).toBeGreaterThan((SECONDS - 60) * 1000);
    expect(refusal.message).toContain('Nothing was sent.');
    expect(await had('write', 100)).toBe(20);
    expect(await had('batch', 100)).toBe(10);
    expect(await had('background', 10)).toBe(0);
  });

  it('gives people who write all but the part of batches', async () => {
    const { had } = budgetOf();
    expect(await had('write', 200)).toBe(90);
    expect(await had('read', 10)).toBe(0);
    expect(await had('batch', 100)).toBe(10);
  });

  it('lets a batch have its own part and half of the rest at once, and then what time releases', async () => {
    const { had, takeFor } = budgetOf();
    expect(await had('batch', 200)).toBe(10 + 35);
    const { retryAfterMs = 0 } = await refusalOf(takeFor('batch'));
    // A seventieth of the window.
    expect(retryAfterMs).toBeGreaterThan(30_000);
    expect(retryAfterMs).toBeLessThan(60_000);
    // People do not notice.
    expect(await had('read', 200)).toBe(35);
  });

  it('gives what nobody waits for a quarter of the rest at once', async () => {
    const { had } = budgetOf();
    expect(await had('background', 200)).toBe(17);
  });

  it('says what is left, and is whole again in the next window', async () => {
    const { had, state } = budgetOf(10, 1);
    expect((await state()).remaining).toBe(10);
    expect(await had('read', 10)).toBe(7);
    const { remaining, resetsAt } = await state();
    expect(remaining).toBe(3);
    expect(resetsAt - Date.now()).toBeLessThanOrEqual(1_000);
    await new Promise((resolve) => setTimeout(resolve, resetsAt - Date.now() + 50));
    expect((await state()).remaining).toBe(10);
    expect(await had('read', 10)).toBe(7);
    expect(await had('write', 10)).toBe(2);
  });

  it('has nothing for what the vendor refused, for as long as it says', async () => {
    const { noteRefusal, take, takeFor } = budgetOf();
    noteRefusal('List', 200);
    expect((await refusalOf(takeFor('write'))).retryAfterMs).toBeLessThanOrEqual(200);
    await take('Add', 'read');
    await new Promise((resolve) => setTimeout(resolve, 220));
    await takeFor('write');
  });

  it('has a call again that was not made', async () => {
    const { had, giveBack, state } = budgetOf(10);
    expect(await had('read', 10)).toBe(7);
    await giveBack('read');
    expect((await state()).remaining).toBe(4);
    expect(await had('read', 10)).toBe(1);
  });

  it('of a few calls keeps none back that would leave none', async () => {
    const { had } = budgetOf(3);
    expect(await had('read', 10)).toBe(3);
  });
});
