/** `If-Match`: whether the user is as the caller saw them. */
import type { VendorUser } from '../adapter.js';
import type { Target } from '../clusters/registry.js';
import { GatewayError } from '../errors.js';
import type { ItemOutcome, ItemRecord } from '../journal/records.js';
import type { Found, Step } from '../writes/resource.js';
import { entityTag, matches, toUser } from './entity-tag.js';
import { incompleteList } from './find.js';
import { toThing, userOf } from './steps/step.js';
import { doneWith, failedWith, notFound } from './steps/wording.js';

/** What becomes of an item whose user is another than the caller saw, after a send of unknown effect. */
const changedSince = (target: Target, step: Step, item: ItemRecord, user: VendorUser): ItemOutcome => {
  const found = toThing(user);
  if (step.nature === 'set-visible' && step.readingOf(item, found) === 'as_asked')
    return doneWith('updated', { verdict: 'done', reading: 'as_asked', found }, target);
  const message = `The user ${item.name} has changed since the first attempt, so there was no other. Whether that attempt had an effect is not known.`;
  return failedWith(new GatewayError('vendor_timeout', message, { retryable: false }), 'unknown');
};

/**
 * What becomes of an item whose user is not as the caller saw them; undefined where they are.
 * @throws vendor_bad_response where the list is incomplete, and the user is not in it
 */
export const checkUser = (target: Target, step: Step, item: ItemRecord, { found, complete }: Found): ItemOutcome | undefined => {
  const { name, ifMatch = '*', sends = 0 } = item;
  const user = userOf(found.get(name) ?? null);
  if (!user && !complete) throw incompleteList(target, 'the user is as If-Match says');
  // An earlier send may have deleted them: the next one shows.
  if (!user && sends > 0 && item.op !== 'ensure') return undefined;
  if (!user && item.op === 'ensure')
    return failedWith(new GatewayError('precondition_failed', `There is no user ${name}, so If-Match does not hold.`));
  if (!user) return failedWith(notFound(target, name, new GatewayError('user_not_found', '')));
  const current = toUser(target, user);
  if (matches(ifMatch, current)) return undefined;
  // A delete that did nothing leaves them as they were.
  if (sends > 0 && item.op !== 'delete') return changedSince(target, step, item, user);
  const message = `The user ${name} is not as If-Match says: their entity tag is ${entityTag(current)} now. Read them again before changing them.`;
  return failedWith(new GatewayError('precondition_failed', message));
};
