/**
 * `ret_code` in our codes. The documents know no code for "user exists", "no such user" or "bad password": most failures of the user
 * operations are 5000, and the service settles them by reading back.
 * Source: the vendor's page on error codes (yunify/qingcloud-docs: content/compute/hpc/api/error_code.md).
 */
import { GatewayError } from '../../src/errors.js';
import type { ErrorCode } from '../../src/model.js';
import type { HttpResponse } from '../../src/vendor/client.js';
import { retryAfterMs } from '../../src/vendor/retry-after.js';
import { badResponse, count, type JsonObject, parseObject, text } from '../../src/wire.js';

type Row = readonly [code: ErrorCode, message: string];

const CODES: Readonly<Record<number, Row>> = {
  1100: ['invalid_user', 'The vendor misses a value or does not accept its form.'],
  1101: ['invalid_user', 'The vendor does not accept a value of the user.'],
  1200: [
    'vendor_credentials_rejected',
    'The vendor does not accept the access key or the signature; the secret of the account is likely wrong.',
  ],
  1300: ['vendor_clock_skew', "The gateway's clock differs from the vendor's by too much."],
  1400: ['vendor_permission_denied', 'The vendor denies the account this operation on this cluster.'],
  2100: ['cluster_not_found', 'The vendor has no such cluster in this zone.'],
  2110: ['user_already_exists', 'The cluster already has a user of this name.'],
  2400: ['vendor_account_problem', 'The balance of the account is not sufficient.'],
  2500: ['vendor_rate_limited', "The account's quota of API calls is used up."],
  5000: ['cluster_agent_failed', 'The cluster failed on this operation.'],
  5100: ['vendor_unavailable', 'The vendor is busy.'],
  5200: ['vendor_unavailable', "The vendor's resources do not suffice for now."],
  5300: ['vendor_unavailable', 'The vendor is being updated.'],
};

const UNKNOWN: Row = [
  'vendor_bad_response',
  'The vendor refused the request with a code that its documentation does not explain.',
];

/** The quota is counted by the hour: a quick retry would only use up more of it. */
const QUOTA_RETRY_MS = 60_000;

const byStatus = (status: number): Row => {
  if (status === 429) return ['vendor_rate_limited', 'The vendor throttles the account.'];
  if (status >= 500) return ['vendor_unavailable', 'The vendor is unavailable for now.'];
  return UNKNOWN;
};

/**
 * The answer's JSON object, judged by `ret_code` where there is one and by the HTTP status otherwise.
 * @throws GatewayError for everything that is no success
 */
export const readAnswer = ({ status, headers, body }: HttpResponse, now: Date): JsonObject => {
  const answer = parseObject(body);
  const retCode = answer && count(answer['ret_code']);
  if (answer && retCode === 0) return answer;

  const vendor = {
    name: 'shanhe-hpc',
    code: retCode === null ? null : String(retCode),
    message: answer && text(answer['message']),
    requestId: null,
    status,
  };
  if (retCode === null && status < 300) throw badResponse(answer ? 'no ret_code' : 'no JSON object', { vendor });

  const [code, words] = retCode === null ? byStatus(status) : (CODES[retCode] ?? UNKNOWN);
  const wait = retryAfterMs(headers, now) ?? (code === 'vendor_rate_limited' ? QUOTA_RETRY_MS : undefined);
  throw new GatewayError(code, words, {
    vendor,
    ...(wait !== undefined && { retryAfterMs: wait }),
    // A `ret_code` is the vendor's own word that it is busy; a page without one may be a proxy's.
    ...(code === 'vendor_unavailable' && retCode !== null && { effect: 'ended' }),
  });
};

/** 2100 on an operation on one user may mean the user or the cluster: reading back shows it. */
export const userOrCluster = (error: unknown): never => {
  if (error instanceof GatewayError && error.code === 'cluster_not_found') {
    throw error.withMessage('The vendor does not find the user or the cluster.', 'cluster_agent_failed');
  }
  throw error;
};
