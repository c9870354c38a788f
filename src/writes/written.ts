/** The thing after a write that the vendor confirmed, for the answer of a caller who waits. */
import { boundedCall, type Desk } from './desk.js';
import { type Decision, type Doubt, decide } from './evidence.js';

/** That it cannot be read does not undo the write. */
const READ_MS = 10_000;

/** The decision on an item that the vendor confirmed, with the thing as it is now where a caller wants to see it. */
export const readWritten = async (desk: Desk, doubt: Doubt): Promise<Decision> => {
  const { offsets } = desk;
  const { work, item } = doubt.entry;
  const { site } = work;
  if (work.isBatch || !doubt.call.step.isShown) return decide(doubt);
  // A vendor may write names in its own way; it has confirmed that this one is there.
  const isAdded = doubt.call.step.nature === 'add';
  const options = { anyCase: isAdded, isNewest: isAdded };
  const read = await site.read([item.name], boundedCall(desk, work, READ_MS), options).catch(() => undefined);
  const thing = read?.found.get(item.name);
  if (!thing) return decide(doubt, 'unread');
  offsets.observe(site.key, item.name, thing.createdAt);
  return decide(doubt, thing);
};
