import type { EchoValue } from './echo.js';
import type { Spelling } from './spelling.js';

/** Kinds that every vendor can show. */
export const COMMON_FAULT_KINDS = [
  'throttle',
  'vendor_error',
  'error_after',
  'http_status',
  'html',
  'cut_json',
  'wrong_shape',
  'delay',
  'drip',
  'hang',
  'hang_after',
  'reset_before',
  'reset_after',
  'late_effect',
  'short_page',
  'hole_page',
  'endless_list',
  'offset_ignored',
] as const;

export const FAULT_KINDS = [
  ...COMMON_FAULT_KINDS,
  'echo',
  'half_batch',
  'listing_never_ends',
  'job_fails',
  'job_fails_after',
  'job_never_ends',
  'job_slow',
  'job_unlisted',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/**
 * `strings`: list items are strings; `object`: the list is an object; `missing`: the payload key is absent; `array`, `null`: the whole body is that.
 * `row_null`, `row_text`, `row_empty`: one row is null, a text, or has no members; `row_unnamed`, `row_typed`: its name is absent, or an object.
 */
export const SHAPES = [
  'strings',
  'object',
  'missing',
  'array',
  'null',
  'row_null',
  'row_text',
  'row_empty',
  'row_unnamed',
  'row_typed',
] as const;
export type Shape = (typeof SHAPES)[number];

/** `both`: also the vendor's own header where it has one. */
export const RETRY_AFTER_HEADERS = ['both', 'standard', 'vendor'] as const;
export type RetryAfterHeader = (typeof RETRY_AFTER_HEADERS)[number];

/** Faults wait in the order they were injected. Only calls that passed verification meet them. */
export interface Fault {
  kind: FaultKind;
  /** Only calls of this action or path: 'AddUsers', '/user/addUser'. */
  action?: string;
  /** Only calls about this cluster. */
  clusterId?: string;
  /** Only calls that name this user. */
  username?: string;
  /** How many calls it hits; -1 or Infinity is all; default 1, or all when `forMs` is given. */
  times?: number;
  /** It hits calls until so many milliseconds after its first hit, then it is removed. */
  forMs?: number;
  /** Lets the first matching calls through. */
  skip?: number;
  /**
   * Holds the answer back, after the effect if there is one; works with every kind, except those that have their own use:
   * `drip`: milliseconds between two bytes, default 1000; `late_effect`: until the effect; `job_slow`: until the job ends.
   */
  delayMs?: number;
  code?: string;
  status?: number;
  message?: string;
  /** E-HPC adds its own header in milliseconds. */
  retryAfterSeconds?: number;
  /** The text of the header as it is; takes precedence over `retryAfterSeconds`. */
  retryAfter?: string;
  /** E-HPC only: which headers carry it; default 'both'. */
  retryAfterHeader?: RetryAfterHeader;
  /** For `wrong_shape`; default 'strings'. */
  shape?: Shape;
  /** For `short_page` and `hole_page`: the most rows of the page. */
  rows?: number;
  /** For `echo`: the member of the answer that repeats `value`, as the vendor spells it; `header:NAME` is a header. */
  field?: string;
  /** For `echo`: which secret; that of the call, or of the last call that brought one. `message` is the text around it (`%s`). */
  value?: EchoValue;
  /** For `echo`; default 'plain'. */
  spelling?: Spelling;
}
