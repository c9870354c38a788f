/** `If-Match`: whether the thing is as the caller saw it, right before it is written. */
import { asGatewayError } from '../errors.js';
import type { ItemOutcome, ItemRecord } from '../journal/records.js';
import { boundedCall, CALL_MS, type Context } from './context.js';
import { failedWith, withDetail } from './outcome.js';

/** What became of an item whose precondition does not hold, or whose thing cannot be read; undefined where it holds. */
export const checkPrecondition = async (context: Context, item: ItemRecord): Promise<ItemOutcome | undefined> => {
  try {
    return await context.site.check(item, boundedCall(context, CALL_MS));
  } catch (thrown) {
    const error = asGatewayError(thrown);
    if ((item.sends ?? 0) > 0)
      return failedWith(withDetail(error, 'Whether an earlier attempt had an effect is not known.', 'open'), 'unknown');
    return failedWith(withDetail(error.withEffect('none'), 'Nothing was changed.', 'none'), 'failed');
  }
};

/** The same within so long; `unread` where that is not enough, or the thing cannot be read. */
export const recheckPrecondition = (
  context: Context,
  item: ItemRecord,
  ms: number,
): Promise<ItemOutcome | undefined | 'unread'> =>
  context.site.check(item, boundedCall(context, ms)).catch(() => 'unread' as const);
