import type { Call, VendorUser } from '../../adapter.js';
import type { Target } from '../../clusters/registry.js';
import { GatewayError } from '../../errors.js';
import type { ItemOutcome } from '../../journal/records.js';
import type { Asked, Found, Planned, Step, Steps } from '../../writes/resource.js';
import type { Requirement } from '../admission.js';
import { plannedRequirement, planOf } from '../ensure.js';
import { incompleteList } from '../find.js';
import { checkUser } from '../precondition.js';
import { isWithin, outOfBounds } from './bounded.js';
import { plannedStep } from './planned.js';
import { contentOf, userOf } from './step.js';
import { failedWith, inItem, unchanged } from './wording.js';

/** Why the cluster cannot take an item. */
export type RefusalOf = (requirement: Requirement, call: Call) => Promise<GatewayError | undefined>;

/** Only the store can have lost what an earlier try has done. */
const mayBeOurs = (): ItemOutcome =>
  failedWith(
    new GatewayError('vendor_timeout', 'The user is as asked for; whether this request made it so is not known.', {
      effect: 'open',
      retryable: true,
    }),
    'unknown',
  );

/** Reads whether the user is as wanted, and what is to be done. Sends nothing. */
export const ensureStep = (target: Target, refusalOf: RefusalOf): Step => {
  /** What becomes of them, in view of the user as read; null where there is none. */
  const decide = async ({ item, isBatch }: Asked, user: VendorUser | null, call: Call): Promise<ItemOutcome | Steps> => {
    const { name, index, secret, sends = 0 } = item;
    const content = contentOf(item);
    const hasPassword = secret !== undefined;
    const decided = planOf(content, user);
    const refusal = await refusalOf(plannedRequirement(decided, { ...content, username: name }, hasPassword), call);
    if (refusal) return failedWith(isBatch ? inItem(refusal, index) : refusal, 'refused');
    const { atMost } = content;
    if (decided === 'setRole' && user && atMost !== undefined && !isWithin(user, atMost))
      return failedWith(outOfBounds(user, atMost), 'refused');
    if (decided !== 'unchanged') return { status: 'planned', steps: [decided] };
    if (sends > 0) return mayBeOurs();
    return user && !isBatch ? unchanged(user, target) : { status: 'unchanged' };
  };

  const plan = async (asked: Asked, read: Found, call: Call): Promise<Planned> => {
    const { found, complete, isWhole } = read;
    const { item, isThere } = asked;
    const { name, secret, ifMatch } = item;
    const shown = userOf(found.get(name) ?? null);
    // A vendor that has one of this name, and shows another case of it alone, makes no difference between them.
    const user = shown?.username === name || isThere ? shown : null;
    if (user && contentOf(item).isNew) {
      const message = `There is a user ${name}, so If-None-Match does not hold.`;
      return failedWith(new GatewayError('precondition_failed', message));
    }
    const error = incompleteList(target, `the user ${name} exists`);
    if (!user && !complete) {
      if (ifMatch !== undefined) return { status: 'unread', error };
      // They may stand in a row that names nobody, or where the list changed while it was read: that comes to rest.
      if (secret === undefined) return isWhole ? failedWith(error, 'failed') : { status: 'unread', error };
    }
    const refused = ifMatch === undefined ? undefined : checkUser(target, ensure, item, read);
    if (refused) return refused;
    const decided = await decide(asked, user, call);
    // If it never does, the vendor decides, who overwrites nobody.
    return user || isWhole ? decided : { status: 'unread', error, otherwise: decided };
  };

  const planAll: Step['plan'] = async (asked, read, call) => {
    const planned: Planned[] = [];
    // One after the other: all ask for the same facts.
    for (const each of asked) planned.push(await plan(each, read, call));
    return planned;
  };

  const mayBeDone = 'Whether the user was created, or given the role, is not known';
  const ensure = plannedStep(target, 'ensure', planAll, mayBeDone, '; asking again does no harm');
  return ensure;
};
