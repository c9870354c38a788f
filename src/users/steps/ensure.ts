import type { Call } from '../../adapter.js';
import type { Target } from '../../clusters/registry.js';
import { GatewayError } from '../../errors.js';
import type { ItemOutcome } from '../../journal/records.js';
import { withDetail } from '../../writes/outcome.js';
import type { Asked, Found, Planned, Step } from '../../writes/resource.js';
import type { Requirement } from '../admission.js';
import { plannedRequirement, planOf } from '../ensure.js';
import { incompleteList } from '../find.js';
import { checkUser } from '../precondition.js';
import { contentOf, userOf } from './step.js';
import { failedWith, inItem, notDoneWith, unchanged } from './wording.js';

/** Why the cluster cannot take an item. */
export type RefusalOf = (requirement: Requirement, call: Call) => Promise<GatewayError | undefined>;

/** A list that has holes is read so often before somebody may be created who is not in it. */
const UNREAD_BEFORE_CREATE = 3;

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
  const plan = async ({ item, isBatch, unread }: Asked, read: Found, call: Call): Promise<Planned> => {
    const { found, complete, isWhole } = read;
    const { name, index, secret, ifMatch, sends = 0 } = item;
    const content = contentOf(item);
    const user = userOf(found.get(name) ?? null);
    const hasPassword = secret !== undefined;
    if (user && content.isNew) {
      const message = `There is a user ${name}, so If-None-Match does not hold.`;
      return failedWith(new GatewayError('precondition_failed', message));
    }
    const mayExist = () => incompleteList(target, `the user ${name} exists`);
    // A list that changes while it is read comes to rest, or not for long; then the vendor decides, who overwrites nobody.
    if (!user && !isWhole && (!hasPassword || unread < UNREAD_BEFORE_CREATE)) return { status: 'unread', error: mayExist() };
    // They may stand in a row that names nobody.
    if (!user && !complete && !hasPassword) return failedWith(mayExist(), 'failed');
    if (!user && !complete && ifMatch !== undefined) return { status: 'unread', error: mayExist() };
    const refused = ifMatch === undefined ? undefined : checkUser(target, ensure, item, read);
    if (refused) return refused;
    const decided = planOf(content, user);
    const refusal = await refusalOf(plannedRequirement(decided, { ...content, username: name }, hasPassword), call);
    if (refusal) return failedWith(isBatch ? inItem(refusal, index) : refusal, 'refused');
    if (decided !== 'unchanged') return { status: 'planned', steps: [decided] };
    if (sends > 0) return mayBeOurs();
    return user && !isBatch ? unchanged(user, target) : { status: 'unchanged' };
  };

  const ensure: Step = {
    name: 'ensure',
    // As far as an earlier try is concerned, of which nobody knows how far it came.
    nature: 'set-hidden',
    isShown: true,
    wasDone: '',
    mayBeDone: 'Whether the user was created, or given the role, is not known.',
    send: () => Promise.reject(new TypeError('ensure is planned, not sent')),
    plan: async (asked, read, call) => {
      const planned: Planned[] = [];
      // One after the other: all ask for the same facts.
      for (const each of asked) planned.push(await plan(each, read, call));
      return planned;
    },
    readingOf: () => 'present',
    outcome: (item, finding) =>
      finding.verdict === 'was_missing' && finding.error
        ? failedWith(withDetail(finding.error, 'There is no such user.', 'none'), 'failed')
        : notDoneWith('set-hidden', target, item, finding, {
            notDone: 'Nothing was changed.',
            unknown: () => 'Whether the user was created, or given the role, is not known; asking again does no harm.',
          }),
  };
  return ensure;
};
