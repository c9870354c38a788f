/** The state in which an operation ends. */
import type { OperationState, ResultSummary } from '../model.js';

export type FinalState = Exclude<OperationState, 'pending' | 'running'>;

/** What decides the final state of an operation. */
export interface Ended {
  readonly summary: ResultSummary;
  readonly total: number;
  readonly stopOnError: boolean;
  readonly cancelling: boolean;
}

const doneIn = ({ created, updated, unchanged, deleted }: ResultSummary): number => created + updated + unchanged + deleted;

/**
 * The first state that fits.
 * @param total number of items
 * @param cancelling whether items with status `cancelled` were cancelled by request
 */
export const stateOf = (summary: ResultSummary, total: number, cancelling: boolean): FinalState => {
  if (cancelling && summary.cancelled > 0) return 'cancelled';
  const done = doneIn(summary);
  if (done === total) return 'succeeded';
  if (done > 0) return 'partially_succeeded';
  return summary.unknown > 0 ? 'unknown' : 'failed';
};

/** An item that is neither done nor cancelled has stopped a `stopOnError` operation: it cancelled the rest, with a request or without. */
const stoppedByError = ({ summary, stopOnError }: Ended): boolean =>
  stopOnError && Object.values(summary).reduce((sum, count) => sum + count, 0) > doneIn(summary) + summary.cancelled;

export const finalStateOf = (ended: Ended): FinalState =>
  stateOf(ended.summary, ended.total, ended.cancelling && !stoppedByError(ended));
