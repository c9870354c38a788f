/** Items that a process left behind when it died: sent, or just about to be. */
import { GatewayError } from '../../errors.js';
import type { StepOutcome } from './item.js';
import type { ItemRecord } from './records.js';
import { judge, resolveReceipt, unreadable } from './resolve.js';
import { rulesOf, type Step, stepOf } from './steps.js';
import { forAll, PATIENCE_MS, type Turn } from './turn.js';

const AGAIN: StepOutcome = { status: 'again', untouched: false };

/** Writes down the outcomes, and that the others are to be sent again. What was given up in the middle stays as it is. */
const settle = async (
  { progress, call }: Turn,
  group: readonly ItemRecord[],
  outcomes: ReadonlyMap<number, StepOutcome>,
): Promise<void> => {
  if (!call.signal.aborted) await progress.settle(new Map([...forAll(group, () => AGAIN), ...outcomes]));
};

/** The vendor's job is known: it tells. */
const follow = async (turn: Turn, item: ItemRecord, job: string): Promise<void> => {
  const { outcomes } = await resolveReceipt(turn, stepOf(item), [item], { state: 'accepted', job });
  await settle(turn, [item], outcomes);
};

/** Nobody knows whether it was sent. What reading back does not show in time was not, and is. */
const readBackAll = async (turn: Turn, step: Step, group: readonly ItemRecord[]): Promise<void> => {
  const died = new GatewayError('vendor_timeout', 'The gateway stopped before the vendor answered.');
  const settled = Math.max(...group.map(({ underWay = 0 }) => underWay)) + turn.settleMs;
  const until = { settled, readable: Math.max(settled, Date.now() + PATIENCE_MS) };
  const { readable, outcomes } = await judge(turn, step, group, died, until);
  await settle(turn, group, readable ? outcomes : forAll(group, () => unreadable(step, died)));
};

/** @throws OwnershipLost */
export const recover = async (turn: Turn): Promise<void> => {
  const behind = turn.progress.unsettled().filter(({ underWay }) => underWay !== undefined);
  const harmless = behind.filter((item) => rulesOf(stepOf(item)).idempotent);
  const others = behind.filter((item) => !harmless.includes(item));
  await settle(turn, harmless, new Map());
  const doubtful = (step: Step): ItemRecord[] => others.filter((item) => item.job === undefined && stepOf(item) === step);
  await Promise.all([
    ...others.map((item) => (item.job === undefined ? undefined : follow(turn, item, item.job))),
    ...(['create', 'delete'] as const)
      .filter((step) => doubtful(step).length > 0)
      .map((step) => readBackAll(turn, step, doubtful(step))),
  ]);
};
