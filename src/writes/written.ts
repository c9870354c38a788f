/** The thing after a write that the vendor confirmed, for the answer of a caller who waits. */
import { boundedCall, type Context } from './context.js';
import { type Decision, type Doubt, decide } from './evidence.js';

/** That it cannot be read does not undo the write. */
const READ_MS = 10_000;

/** The decision on an item that the vendor confirmed, with the thing as it is now where a caller wants to see it. */
export const readWritten = async (context: Context, doubt: Doubt): Promise<Decision> => {
  const { site, isBatch, offsets } = context;
  const { item, flight } = doubt;
  if (isBatch || !flight.step.isShown) return decide(context, doubt);
  const read = await site.read([item.name], boundedCall(context, READ_MS)).catch(() => undefined);
  const thing = read?.found.get(item.name);
  if (!thing) return decide(context, doubt, 'unread');
  offsets.observe(site.key, item.name, thing.createdAt);
  return decide(context, doubt, thing);
};
