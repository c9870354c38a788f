/** How the end of a step is reported: status, code and message. */
import type { VendorUser } from '../../adapter.js';
import type { Target } from '../../clusters/registry.js';
import { GatewayError } from '../../errors.js';
import type { ItemOutcome, ItemRecord } from '../../journal/records.js';
import type { ItemStatus } from '../../model.js';
import { failedWith as ended, withDetail } from '../../writes/outcome.js';
import type { Finding } from '../../writes/resource.js';
import { isRepeatable, type Nature } from '../../writes/verdict.js';
import { toUser } from '../entity-tag.js';
import { contentOf, userOf } from './step.js';

const statusOf = ({ code }: GatewayError): ItemStatus | undefined => {
  if (code === 'user_already_exists') return 'already_exists';
  if (code === 'user_not_found') return 'not_found';
  return code === 'invalid_user' ? 'refused' : undefined;
};

/** An end in the words of users. */
export const failedWith = (error: GatewayError, status = statusOf(error)): ItemOutcome => ended(error, status);

/** A refusal of one item, pointing into the body that holds it. */
export const inItem = (error: GatewayError, index: number): GatewayError =>
  new GatewayError(error.code, error.message, {
    ...(error.errors && {
      errors: error.errors.map(({ pointer, message }) => ({ pointer: `/items/${index}${pointer}`, message })),
    }),
  });

/** A user whom the vendor confirmed, and nobody could read. */
const asAskedFor = (item: ItemRecord): VendorUser => {
  const unknown = { group: null, uid: null, gid: null, mountPoint: null, createdAt: null, updatedAt: null, userId: null };
  return { username: item.name, role: contentOf(item).role ?? 'member', ...unknown, attributes: {} };
};

/**
 * What the vendor said in its own fields is not kept.
 * @param item shown as it was asked for, where the user could not be read
 */
export const doneWith = (status: ItemStatus, { found, unread }: Finding, target: Target, item?: ItemRecord): ItemOutcome => {
  const user = userOf(found) ?? (unread && item ? asAskedFor(item) : null);
  return { status, ...(user && { value: toUser(target, { ...user, attributes: {} }) }), ...(unread && { unread }) };
};

/** A user who is as asked for. */
export const unchanged = (user: VendorUser, target: Target): ItemOutcome => ({
  status: 'unchanged',
  value: toUser(target, { ...user, attributes: {} }),
});

export const notFound = (target: Target, username: string, cause: GatewayError): GatewayError =>
  cause.withMessage(`There is no user ${username} on the cluster ${target.id}.`, 'user_not_found', 'none');

export const alreadyExists = (target: Target, username: string, cause: GatewayError): GatewayError =>
  cause.withMessage(`The cluster ${target.id} already has a user ${username}.`, 'user_already_exists', 'none');

/** Codes that say something about the user, or that nothing was done. */
const CLAIMS: ReadonlySet<string> = new Set(['user_already_exists', 'user_not_found', 'invalid_user', 'precondition_failed']);

/** The failure without a claim that the verdict does not make: the vendor's word may be about another user, or another send. */
const withoutClaim = (error: GatewayError): GatewayError =>
  CLAIMS.has(error.code)
    ? error.withoutVendorMessage().withMessage('The vendor refused the call.', 'cluster_agent_failed', error.effect)
    : error;

/** A reading that shows that nothing was done. */
const SHOWN: ReadonlySet<Finding['reading']> = new Set(['absent', 'present']);

interface Words {
  /** The sentence for a step that was surely not done, after reading back. */
  readonly notDone: string;
  /** The sentence for a step of which nobody can say. */
  unknown(finding: Finding): string;
}

/** The result of every verdict but `done`. */
export const notDoneWith = (
  nature: Nature,
  target: Target,
  { name, stepsDone = 0 }: ItemRecord,
  finding: Finding,
  { notDone, unknown }: Words,
): ItemOutcome => {
  const { verdict, reading } = finding;
  const error = finding.error ?? new GatewayError('internal_error', 'The vendor gave no word on this user.');
  switch (verdict) {
    case 'was_there':
      return failedWith(alreadyExists(target, name, error));
    case 'was_missing':
      return failedWith(notFound(target, name, error));
    case 'unknown': {
      // Repeating a create or delete of unknown outcome does not answer the question, and may do harm.
      const outcome = withDetail(withoutClaim(error), unknown(finding), 'open');
      return failedWith(isRepeatable(nature) ? outcome : outcome.withoutRetry(), 'unknown');
    }
    case 'refused':
      return failedWith(error.withEffect('none'), 'refused');
    default: {
      const failure = withoutClaim(error);
      const isUnchanged =
        failure.effect === 'none' && failure.retryable && failure.code !== 'cluster_not_ready' && stepsDone === 0;
      if (isUnchanged) return failedWith(withDetail(failure, 'Nothing was changed.', 'none'));
      return failedWith(SHOWN.has(reading) ? withDetail(failure, notDone, 'none') : failure.withEffect('none'));
    }
  }
};
