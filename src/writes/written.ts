/** The user after a write that the vendor confirmed, for the answer of a caller who waits. */
import type { VendorUser } from '../adapter.js';
import { isOutcome } from '../journal/item.js';
import { boundedCall, type Context, clusterKey } from './context.js';
import { type Decision, type Doubt, decide } from './evidence.js';

/** That the user cannot be read does not undo the write. */
const READ_MS = 10_000;

/** The decision on an item that the vendor confirmed, with the user as they are now where a caller wants to see them. */
export const readWritten = async (context: Context, doubt: Doubt): Promise<Decision> => {
  const { target, reader, isBatch, offsets } = context;
  const { item, flight } = doubt;
  const { username, role = 'member' } = item;
  if (isBatch || flight.step.name === 'delete' || flight.step.name === 'setPassword') return decide(context, doubt);
  const { found } = await reader.read([username], boundedCall(context, READ_MS)).catch(() => ({
    found: new Map<string, VendorUser | null>(),
  }));
  const user = found.get(username);
  if (user) {
    offsets.observe(clusterKey(target), username, user.createdAt);
    return decide(context, doubt, user);
  }
  const unknown = { group: null, uid: null, gid: null, mountPoint: null, createdAt: null, updatedAt: null, userId: null };
  const decision = decide(context, doubt, { username, role, ...unknown, attributes: {} });
  return decision.kind === 'settled' && isOutcome(decision.outcome)
    ? { kind: 'settled', outcome: { ...decision.outcome, unread: true } }
    : decision;
};
