import type { ErrorCode, FieldError, VendorError } from './model.js';

/**
 * What a failed call may have changed at the vendor. `none`: surely nothing. `ended`: the vendor is done with it, and reading back once
 * shows it. `open`: no word came of how it ended; the call may still take effect.
 */
export type Effect = 'none' | 'ended' | 'open';

export interface GatewayErrorFacts {
  /** For bad input: which fields, and what to change. */
  readonly errors?: readonly FieldError[];
  /** What the vendor said, free of secrets. */
  readonly vendor?: VendorError;
  /** Milliseconds to wait before the next try. */
  readonly retryAfterMs?: number;
  /** Overrides what the code says by itself. */
  readonly effect?: Effect;
  /** False where a repetition does not help, whatever the code says by itself. */
  readonly retryable?: boolean;
  /** The id of the operation to follow; with `still_running`. */
  readonly operation?: string;
  /** Rights of which the caller has none; with `forbidden`. */
  readonly lacks?: readonly string[];
  readonly cause?: unknown;
}

/** What a code says by itself; codes that are not here are refusals without effect. */
const EFFECTS: ReadonlyMap<ErrorCode, Effect> = new Map([
  ['cluster_agent_failed', 'ended'],
  ['vendor_unavailable', 'open'],
  ['vendor_timeout', 'open'],
  ['vendor_bad_response', 'open'],
  ['still_running', 'open'],
  ['internal_error', 'open'],
]);

const RETRYABLE: ReadonlySet<ErrorCode> = new Set([
  'cluster_not_ready',
  'vendor_rate_limited',
  'vendor_unavailable',
  'vendor_timeout',
  'still_running',
  'idempotency_key_in_flight',
  'store_unavailable',
  'caller_rate_limited',
  'too_busy',
  'issuer_unavailable',
  'request_timeout',
  'backlog_full',
  'shutting_down',
]);

/**
 * The one error of the gateway. `code` is stable, `message` is for people and holds no secret, no upstream URL and no vendor request id
 * (that is in `vendor`).
 */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly code: ErrorCode;
  readonly errors: readonly FieldError[] | undefined;
  readonly vendor: VendorError | undefined;
  readonly retryAfterMs: number | undefined;
  readonly effect: Effect;
  readonly operation: string | undefined;
  readonly lacks: readonly string[] | undefined;
  /** Whether the same request can succeed later without a change. */
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, facts: GatewayErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.errors = facts.errors;
    this.vendor = facts.vendor;
    this.retryAfterMs = facts.retryAfterMs;
    this.effect = facts.effect ?? EFFECTS.get(code) ?? 'none';
    this.operation = facts.operation;
    this.lacks = facts.lacks;
    this.retryable = RETRYABLE.has(code) && facts.retryable !== false;
  }

  /** The same failure with another message, code or effect, by what is known later; the facts stay. */
  withMessage(
    message: string,
    code: ErrorCode = this.code,
    effect: Effect | undefined = code === this.code ? this.effect : undefined,
  ): GatewayError {
    return new GatewayError(code, message, {
      cause: this,
      ...(this.errors && { errors: this.errors }),
      ...(this.vendor && { vendor: this.vendor }),
      ...(this.retryAfterMs !== undefined && { retryAfterMs: this.retryAfterMs }),
      ...(effect && { effect }),
      ...(code === this.code && !this.retryable && { retryable: false }),
    });
  }

  /** The same failure without the vendor's own words, which may be about another user. */
  withoutVendorMessage(): GatewayError {
    if (!this.vendor?.message) return this;
    const facts = { ...storeError(this), vendor: { ...this.vendor, message: null } };
    return new GatewayError(this.code, this.message, { ...facts, cause: this });
  }

  /** The same failure without anything that the vendor said. */
  withoutVendor(): GatewayError {
    const { vendor: _, ...facts } = storeError(this);
    return new GatewayError(this.code, this.message, { ...facts, cause: this });
  }

  /** The same failure, which a repetition would not explain further. */
  withoutRetry(): GatewayError {
    const { retryAfterMs: _, ...facts } = storeError(this);
    return new GatewayError(this.code, this.message, { ...facts, retryable: false, cause: this });
  }

  /** The same failure of a later step: seen from the whole, the effect is another. */
  withEffect(effect: Effect): GatewayError {
    return effect === this.effect ? this : this.withMessage(this.message, this.code, effect);
  }
}

/** A failure as it is kept: all but its cause. */
export interface StoredError extends Omit<GatewayErrorFacts, 'cause' | 'operation' | 'lacks'> {
  readonly code: ErrorCode;
  readonly message: string;
  readonly effect: Effect;
}

export const storeError = ({ code, message, errors, vendor, retryAfterMs, effect, retryable }: GatewayError): StoredError => ({
  code,
  message,
  effect,
  ...(RETRYABLE.has(code) && !retryable && { retryable }),
  ...(errors && { errors }),
  ...(vendor && { vendor }),
  ...(retryAfterMs !== undefined && { retryAfterMs }),
});

export const restoreError = ({ code, message, ...facts }: StoredError): GatewayError => new GatewayError(code, message, facts);

/** Takes faults of the gateway itself that no failing request reports. */
export type Report = (fault: GatewayError, requestId: string) => void;

/** Any thrown value as a GatewayError; what nobody foresaw becomes `internal_error` without its text. */
export const asGatewayError = (thrown: unknown): GatewayError =>
  thrown instanceof GatewayError
    ? thrown
    : new GatewayError('internal_error', 'The gateway failed on this request. The log has the details under this request id.', {
        cause: thrown,
      });
