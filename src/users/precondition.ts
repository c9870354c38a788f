/** `If-Match`: whether the user is as the caller saw them. */
import type { VendorUser } from '../adapter.js';
import { asGatewayError, GatewayError } from '../errors.js';
import { stepOf } from '../journal/item.js';
import type { ItemOutcome, ItemRecord } from '../journal/records.js';
import { boundedCall, CALL_MS, type Context } from '../writes/context.js';
import { entityTag, matches, toUser } from './entity-tag.js';
import { incompleteList } from './find.js';
import type { Found } from './reader.js';
import { stepNamed } from './steps/index.js';
import { doneWith, failedWith, notFound, withDetail } from './steps/wording.js';

/** What becomes of an item whose user is another than the caller saw, after a send of unknown effect. */
const changedSince = ({ target }: Context, item: ItemRecord, user: VendorUser): ItemOutcome => {
  const step = stepNamed(stepOf(item));
  if (step.nature === 'set-visible' && step.readingOf(item, user) === 'as_asked') return doneWith('updated', user, target);
  const message = `The user ${item.username} has changed since the first attempt, so there was no other. Whether that attempt had an effect is not known.`;
  return failedWith(new GatewayError('vendor_timeout', message, { retryable: false }), 'unknown');
};

const read = (context: Context, { username }: ItemRecord, ms: number): Promise<Found> =>
  context.reader.read([username], boundedCall(context, ms));

/** @throws vendor_bad_response where the list is incomplete, and the user is not in it */
const judge = (context: Context, item: ItemRecord, { found, complete }: Found): ItemOutcome | undefined => {
  const { target } = context;
  const { username, ifMatch = '*', sends = 0 } = item;
  const user = found.get(username);
  if (!user && !complete) throw incompleteList(target, 'the user is as If-Match says');
  // An earlier send may have deleted them: the next one shows.
  if (!user && sends > 0) return undefined;
  if (!user) return failedWith(notFound(target, username, new GatewayError('user_not_found', '')));
  const current = toUser(target, user);
  if (matches(ifMatch, current)) return undefined;
  // A delete that did nothing leaves them as they were.
  if (sends > 0 && item.op !== 'delete') return changedSince(context, item, user);
  const message = `The user ${username} is not as If-Match says: their entity tag is ${entityTag(current)} now. Read them again before changing them.`;
  return failedWith(new GatewayError('precondition_failed', message));
};

/** What became of an item whose precondition does not hold, or whose user cannot be read; undefined where it holds. */
export const checkPrecondition = async (context: Context, item: ItemRecord): Promise<ItemOutcome | undefined> => {
  try {
    return judge(context, item, await read(context, item, CALL_MS));
  } catch (thrown) {
    const error = asGatewayError(thrown);
    if ((item.sends ?? 0) > 0)
      return failedWith(withDetail(error, 'Whether an earlier attempt had an effect is not known.', 'open'), 'unknown');
    return failedWith(withDetail(error.withEffect('none'), 'Nothing was changed.', 'none'), 'failed');
  }
};

/** The same within so long; `unread` where that is not enough, or the user cannot be read. */
export const recheckPrecondition = (
  context: Context,
  item: ItemRecord,
  ms: number,
): Promise<ItemOutcome | undefined | 'unread'> =>
  read(context, item, ms)
    .then((found) => judge(context, item, found))
    .catch(() => 'unread' as const);
