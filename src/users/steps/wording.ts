/** How the end of a step is reported: status, code and message. */
import type { VendorUser } from '../../adapter.js';
import type { Target } from '../../clusters/registry.js';
import { type Effect, GatewayError, storeError } from '../../errors.js';
import type { ItemStatus } from '../../model.js';
import { isRepeatable } from '../../writes/verdict.js';
import { toUser } from '../entity-tag.js';
import type { Finding, Step, StepItem, StepResult } from './step.js';

/** Refusals of what was asked for, rather than failures to do it. */
const REFUSALS: ReadonlySet<string> = new Set([
  'invalid_user',
  'not_supported',
  'precondition_failed',
  'vendor_permission_denied',
]);

const statusOf = ({ code }: GatewayError): ItemStatus => {
  if (code === 'user_already_exists') return 'already_exists';
  if (code === 'user_not_found') return 'not_found';
  return REFUSALS.has(code) ? 'refused' : 'failed';
};

export const failedWith = (error: GatewayError, status: ItemStatus = statusOf(error)): StepResult => ({
  status,
  error: storeError(error),
});

/** What the vendor said in its own fields is not kept. */
export const doneWith = (status: ItemStatus, user: VendorUser | null, target: Target): StepResult => ({
  status,
  ...(user && { user: toUser(target, { ...user, attributes: {} }) }),
});

/** The failure, with a sentence on what is known of its effect. */
export const withDetail = (failure: GatewayError, text: string, effect: Effect = failure.effect): GatewayError =>
  failure.withMessage(`${failure.message} ${text}`, failure.code, effect);

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
  { nature }: Pick<Step, 'nature'>,
  target: Target,
  { username, roleIsSet }: StepItem,
  finding: Finding,
  { notDone, unknown }: Words,
): StepResult => {
  const { verdict, reading } = finding;
  const error = finding.error ?? new GatewayError('internal_error', 'The vendor gave no word on this user.');
  switch (verdict) {
    case 'was_there':
      return failedWith(alreadyExists(target, username, error));
    case 'was_missing':
      return failedWith(notFound(target, username, error));
    case 'unknown': {
      // Repeating a create or delete of unknown outcome does not answer the question, and may do harm.
      const outcome = withDetail(withoutClaim(error), unknown(finding), 'open');
      return failedWith(isRepeatable(nature) ? outcome : outcome.withoutRetry(), 'unknown');
    }
    case 'refused':
      return failedWith(error.withEffect('none'), 'refused');
    default: {
      const failure = withoutClaim(error);
      const isUnchanged = failure.effect === 'none' && failure.retryable && failure.code !== 'cluster_not_ready' && !roleIsSet;
      if (isUnchanged) return failedWith(withDetail(failure, 'Nothing was changed.', 'none'));
      return failedWith(SHOWN.has(reading) ? withDetail(failure, notDone, 'none') : failure.withEffect('none'));
    }
  }
};
