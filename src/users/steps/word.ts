/** A failure in the words of the verdict table. */
import type { GatewayError } from '../../errors.js';
import type { ErrorCode } from '../../model.js';
import type { Word } from '../../writes/verdict.js';

/** Codes that mean the same whatever they may have changed. */
const WORDS: ReadonlyMap<ErrorCode, Word> = new Map<ErrorCode, Word>([
  ['user_already_exists', 'exists'],
  ['user_not_found', 'missing'],
  ['invalid_user', 'refused'],
  ['precondition_failed', 'refused'],
  ['cluster_agent_failed', 'failed'],
]);

/** A vendor that is busy says so (`ended`) or was not reached (`none`); `open` is no word at all. */
export const wordOf = ({ code, effect, retryable }: GatewayError): Word => {
  const word = WORDS.get(code);
  if (word) return word;
  if (effect === 'open') return 'none';
  if (effect === 'none') return retryable ? 'busy_free' : 'refused_all';
  return code === 'vendor_unavailable' ? 'busy' : 'none';
};
