/** Example HPC's codes in ours. */
import { GatewayError } from '../../src/errors.js';
import type { ErrorCode } from '../../src/model.js';
import type { HttpResponse } from '../../src/vendor/client.js';
import { retryAfterMs } from '../../src/vendor/retry-after.js';
import { badResponse, isObject, type JsonObject, parseObject, text } from '../../src/wire.js';

type Row = readonly [code: ErrorCode, message: string];

// EDIT: every code of the vendor's error page, and the page.
const CODES: ReadonlyMap<string, Row> = new Map([
  ['BAD_VALUE', ['invalid_user', 'The vendor does not accept a value of the user.']],
  ['NO_CLUSTER', ['cluster_not_found', 'The vendor has no such cluster.']],
  ['NO_USER', ['user_not_found', 'The cluster has no such user.']],
  ['USER_EXISTS', ['user_already_exists', 'The cluster already has a user of this name.']],
  ['CLUSTER_BUSY', ['cluster_not_ready', 'The cluster does not take this operation now.']],
  ['NODE_FAILED', ['cluster_agent_failed', 'The cluster failed on this operation.']],
  ['BAD_SIGNATURE', ['vendor_credentials_rejected', 'The vendor does not accept the key or the signature of the account.']],
  ['BAD_TIME', ['vendor_clock_skew', "The gateway's clock differs from the vendor's by too much."]],
  ['FORBIDDEN', ['vendor_permission_denied', 'The vendor denies the account this operation.']],
  ['UNPAID', ['vendor_account_problem', 'The account has overdue payments.']],
  ['SLOW_DOWN', ['vendor_rate_limited', 'The vendor throttles the account.']],
  ['OVERLOADED', ['vendor_unavailable', 'The vendor is busy.']],
]);

// EDIT: the codes by which the vendor itself says that it is busy. All other failures leave open what happened.
const BUSY: ReadonlySet<string | null> = new Set(['OVERLOADED']);

const byStatus = (status: number): Row => {
  if (status === 429) return ['vendor_rate_limited', 'The vendor throttles the account.'];
  if (status >= 500) return ['vendor_unavailable', 'The vendor is unavailable for now.'];
  return ['vendor_bad_response', 'The vendor refused the request with a code that its documentation does not explain.'];
};

/**
 * The answer's JSON object.
 * @throws GatewayError for everything that is no success
 */
export const readAnswer = ({ status, headers, body }: HttpResponse, now: Date): JsonObject => {
  const answer = parseObject(body);
  // EDIT: where the vendor puts its code, its words and its request id, and what makes an answer a success.
  const error = answer && isObject(answer['error']) ? answer['error'] : null;
  if (answer && error === null && status < 300) return answer;

  const vendorCode = error && text(error['code']);
  const vendor = {
    name: 'example-hpc',
    code: vendorCode,
    message: error && text(error['message']),
    requestId: answer && text(answer['request_id']),
    status,
  };
  if (vendorCode === null && status < 300) throw badResponse(answer ? 'an error without code' : 'no JSON object', { vendor });

  const [code, words] = CODES.get(vendorCode ?? '') ?? byStatus(status);
  const wait = retryAfterMs(headers, now);
  throw new GatewayError(code, words, {
    vendor,
    ...(wait !== undefined && { retryAfterMs: wait }),
    ...(BUSY.has(vendorCode) && { effect: 'ended' }),
  });
};
