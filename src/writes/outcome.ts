/** How the end of an item is stored, whatever it is about. */
import { type Effect, GatewayError, restoreError, storeError } from '../errors.js';
import { mayHaveHadEffect, stepOf } from '../journal/item.js';
import { type ItemOutcome, type ItemRecord, isDone } from '../journal/records.js';
import type { Site } from './resource.js';

/** Refusals of what was asked for, rather than failures to do it. */
const REFUSALS: ReadonlySet<string> = new Set(['not_supported', 'precondition_failed', 'vendor_permission_denied']);

export const failedWith = (
  error: GatewayError,
  status: ItemOutcome['status'] = REFUSALS.has(error.code) ? 'refused' : 'failed',
): ItemOutcome => ({ status, error: storeError(error) });

/** Nobody knows what became of a call. */
export const noAnswer = (): GatewayError => new GatewayError('vendor_timeout', 'The vendor did not answer.');

/** A backup of the store leaves out the own keys of secrets. */
export const secretLost = (): GatewayError =>
  new GatewayError(
    'store_unavailable',
    'The store of the gateway lacks the key of the secret: it was restored from a backup, which does not have it. Nothing was sent; repeat the request.',
  );

/** The failure, with a sentence on what is known of its effect. */
export const withDetail = (failure: GatewayError, text: string, effect: Effect = failure.effect): GatewayError =>
  failure.withMessage(`${failure.message} ${text}`, failure.code, effect);

/** What is refused now says nothing about an earlier call; its code would say that nothing was done. */
const withoutClaim = ({ status }: ItemOutcome, error: GatewayError): GatewayError => {
  if (status === 'failed' || status === 'cancelled') return error;
  const { message, retryable } = error;
  return new GatewayError('vendor_timeout', message, { effect: 'open', retryable, cause: error });
};

/** The steps before this one, or earlier calls for it, may have changed something: no end hides that. */
export const inViewOf = (item: ItemRecord, outcome: ItemOutcome, { step }: Pick<Site, 'step'>): ItemOutcome => {
  if (isDone(outcome) || outcome.status === 'unknown') return outcome;
  const error = outcome.error
    ? restoreError(outcome.error)
    : new GatewayError('operation_cancelled', 'The operation was cancelled.');
  const done = item.steps.slice(0, item.stepsDone ?? 0).map((name) => step(name).wasDone);
  const { nature, mayBeDone } = step(stepOf(item));
  if (mayHaveHadEffect(item) && outcome.status !== 'not_found') {
    // Reading back, and nothing else, shows that a visible property was not changed.
    const isOpen = nature === 'set-hidden' || (nature === 'set-visible' && error.effect !== 'none');
    if (isOpen) return failedWith(withDetail(withoutClaim(outcome, error), [mayBeDone, ...done].join(' '), 'open'), 'unknown');
  }
  if (done.length === 0) return outcome;
  return failedWith(withDetail(error, done.join(' '), 'open'), outcome.status === 'cancelled' ? 'failed' : outcome.status);
};
