/** Sending one call: what is about to be sent is written down first. */
import type { Receipt } from '../../adapter.js';
import { asGatewayError, GatewayError } from '../../errors.js';
import { findUser } from '../find.js';
import { entityTag, matches, toUser } from '../user.js';
import { type ItemRecord, keyOf } from './records.js';
import { notFound, rulesOf, type Step } from './steps.js';
import { LOOK_AGAIN_MS, mayGoOn, sleep, type Turn } from './turn.js';

/** What was sent, and what the vendor said to it. */
export type Dispatch =
  | { readonly departed: readonly ItemRecord[]; readonly receipt: Receipt }
  | { readonly departed: readonly ItemRecord[]; readonly failure: GatewayError };

/** Waits for a vendor that asked to be left alone, and looks now and then whether it still makes sense to. */
export const whenQuietIsOver = async (turn: Turn): Promise<boolean> => {
  while (await mayGoOn(turn)) {
    const left = turn.progress.quietMs();
    if (left === 0) return true;
    await sleep(Math.min(left, LOOK_AGAIN_MS * 5));
  }
  return false;
};

/** @throws precondition_failed where the user is not as the caller saw it, user_not_found */
const checkPrecondition = async ({ target, call }: Turn, { username, ifMatch, sends = 0 }: ItemRecord): Promise<void> => {
  // What was sent before may have changed the user itself.
  if (ifMatch === undefined || sends > 1) return;
  const found = await findUser(target, username, call).catch((thrown: unknown) => {
    throw asGatewayError(thrown).withEffect('none');
  });
  if (!found) throw notFound(target, username, new GatewayError('user_not_found', ''));
  const user = toUser(target, found);
  if (matches(ifMatch, user)) return;
  throw new GatewayError(
    'precondition_failed',
    `The user ${username} is not as If-Match says: its entity tag is ${entityTag(user)} now. Read it again before changing it.`,
  );
};

const passwordOf = ({ vault, work }: Turn, { index, password }: ItemRecord): string =>
  password === undefined ? '' : vault.open(password, keyOf.item(work.id, index));

/** Undefined when nothing was sent: it is to stop, or other operations are at all of these users. @throws OwnershipLost */
export const dispatch = async (turn: Turn, step: Step, group: readonly ItemRecord[]): Promise<Dispatch | undefined> => {
  const { ledger, gate, work, target, progress, call, inOrder } = turn;
  if (!(await mayGoOn(turn))) return undefined;
  const departed = await ledger.depart(work, group, target.account.vendorNow().toISOString(), inOrder);
  progress.update(departed);
  if (departed.length === 0) return undefined;
  try {
    for (const item of departed) await checkPrecondition(turn, item);
    const parcels = departed.map((item) => ({ item, password: passwordOf(turn, item) }));
    const receipt = await gate.explainDenial(target, call, rulesOf(step).send(target, parcels, call));
    return { departed, receipt };
  } catch (thrown) {
    return { departed, failure: asGatewayError(thrown) };
  }
};
