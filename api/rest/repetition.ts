/** Writes that may be repetitions: answered from the operation that the first request began. */
import { asGatewayError } from '../../src/errors.js';
import type { Idempotency } from '../../src/idempotency/service.js';
import { isFinal, type LoadedOperation } from '../../src/journal/records.js';
import type { RequestReference } from '../../src/journal/requests.js';
import type { Operations } from '../../src/writes/operations.js';
import type { PreferredSubmission } from './operations.js';
import { type Rendered, renderProblem } from './problem.js';

export interface RepeatableDeps {
  readonly idempotency: Idempotency;
  readonly operations: Pick<Operations, 'watch' | 'lookAgain'>;
}

export interface Repeatable {
  readonly reference: RequestReference;
  readonly submission: PreferredSubmission;
  /** Makes the request, under this reference. */
  perform(reference: RequestReference): Promise<Rendered>;
  /** The answer to an operation, ended or not. @throws why there is no success to report */
  answerTo(operation: LoadedOperation): Rendered;
}

/** The answer to an operation that ended before this request came, as the first request was answered. */
const replay = ({ answerTo, submission: { links } }: Repeatable, operation: LoadedOperation): Rendered => {
  const answer = ((): Rendered => {
    try {
      return answerTo(operation);
    } catch (thrown) {
      return renderProblem(asGatewayError(thrown), { instance: operation.path, requestId: operation.requestId, links });
    }
  })();
  return { ...answer, headers: { ...answer.headers, 'Idempotency-Replayed': 'true' } };
};

/**
 * Performs the request, or answers as its first one was or will be answered. An operation whose outcome is unknown is read back once more
 * before; nothing is sent again.
 */
export const performOnce = async ({ idempotency, operations }: RepeatableDeps, repeatable: Repeatable): Promise<Rendered> => {
  const { reference, submission, perform, answerTo } = repeatable;
  const earlier = await idempotency.find(reference);
  if ('begin' in earlier) return perform(earlier.begin);
  const { operation } = earlier;
  if (!isFinal(operation)) return answerTo(await operations.watch(operation.id, submission.patience, submission.call));
  return replay(repeatable, await operations.lookAgain(operation, submission.call));
};
