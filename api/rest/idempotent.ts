/** Requests with an `Idempotency-Key`: answered once, and then as they were. */
import { asGatewayError, type GatewayError } from '../../src/errors.js';
import type { Idempotency } from '../../src/service/operations/idempotency.js';
import type { KeyReference } from '../../src/service/operations/keys.js';
import type { LoadedOperation } from '../../src/service/operations/records.js';
import { type Rendered, renderProblem } from './problem.js';

export interface Keyed {
  readonly key: KeyReference;
  readonly instance: string;
  readonly requestId: string;
  perform(): Promise<Rendered>;
  /** The answer to an operation that is over. */
  answerOf(operation: LoadedOperation): Rendered;
}

const replayed = (answer: Rendered): Rendered => ({
  ...answer,
  headers: { ...answer.headers, 'Idempotency-Replayed': 'true' },
});

/** The operation of a request that was never answered, as its own answer would have been. */
const answerLate = ({ answerOf }: Keyed, operation: LoadedOperation): Rendered => {
  try {
    return answerOf(operation);
  } catch (thrown) {
    return renderProblem(asGatewayError(thrown), operation.path, operation.requestId);
  }
};

/** Nothing was sent, or nothing was changed, and the same request may go well later. */
const mayBeSentAnew = ({ code, retryable, effect }: GatewayError): boolean =>
  effect === 'none' && (retryable || code === 'precondition_failed');

/** Performs the request, or answers as it was answered before. @throws what the request throws before it has begun anything */
export const idempotently = async (idempotency: Idempotency, keyed: Keyed): Promise<Rendered> => {
  const { key, instance, requestId, perform } = keyed;
  const known = await idempotency.find(key);
  if (known) return replayed('answer' in known ? known.answer : answerLate(keyed, known.operation));
  let answer: Rendered;
  try {
    answer = await perform();
  } catch (thrown) {
    const error = asGatewayError(thrown);
    if (!key.begun) throw error;
    if (mayBeSentAnew(error)) {
      await idempotency.forget(key);
      throw error;
    }
    answer = renderProblem(error, instance, requestId);
  }
  await idempotency.keep(key, answer);
  return answer;
};
