/**
 * Alibaba Cloud's codes in ours. Matched on `Code`: the HTTP status of one code differs between the vendor's own pages.
 * https://help.aliyun.com/en/e-hpc/e-hpc-1-0/developer-reference/api-ehpc-2018-04-12-errorcodes
 */
import { type Effect, GatewayError } from '../../src/errors.js';
import type { ErrorCode } from '../../src/model.js';
import type { HttpResponse } from '../../src/vendor/client.js';
import { retryAfterMs } from '../../src/vendor/retry-after.js';
import { badResponse, type JsonObject, parseObject, text } from '../../src/wire.js';

/** First match wins; a pattern that ends in `*` is a prefix. */
const CODES: readonly (readonly [pattern: string, code: ErrorCode, message: string])[] = [
  ['ClusterNotFound', 'cluster_not_found', 'The vendor has no such cluster in this region.'],
  ['AgentError.Account.UserNotExist', 'user_not_found', 'The cluster has no such user.'],
  ['UserNotFound', 'user_not_found', 'The cluster has no such user.'],
  ['AgentError.Account.UserAlreadyExist', 'user_already_exists', 'The cluster already has a user of this name.'],
  ['InvalidClusterStatus', 'cluster_not_ready', 'The cluster is not in a state in which its users can be managed.'],
  ['ManagerNotFound', 'cluster_not_ready', 'The management nodes of the cluster are missing or not in order.'],
  ['ConflictOpt', 'cluster_not_ready', 'Another operation is running on the cluster.'],
  ['InvalidOpt', 'cluster_not_ready', 'The cluster does not take this operation now.'],
  ['Throttling*', 'vendor_rate_limited', 'The vendor throttles the account.'],
  ['Rejected.Throttling*', 'vendor_rate_limited', 'The vendor throttles the account.'],
  ['InvalidAccessKeyId*', 'vendor_credentials_rejected', 'The vendor does not accept the access key of the account.'],
  ['MissingAccessKeyId', 'vendor_credentials_rejected', 'The vendor does not accept the access key of the account.'],
  [
    'SignatureDoesNotMatch',
    'vendor_credentials_rejected',
    'The vendor does not accept the signature; the secret of the account is likely wrong.',
  ],
  ['IncompleteSignature', 'vendor_credentials_rejected', 'The vendor does not accept the signature.'],
  ['InvalidSecurityToken*', 'vendor_credentials_rejected', 'The security token of the account is wrong or has expired.'],
  ['MissingSecurityToken', 'vendor_credentials_rejected', 'The access key of the account needs a security token.'],
  ['NotAuthorized', 'vendor_permission_denied', 'The account lacks the RAM permission for this operation.'],
  ['Forbidden*', 'vendor_permission_denied', 'The account lacks the RAM permission for this operation.'],
  ['InDebt', 'vendor_account_problem', 'The account has overdue payments.'],
  ['NotEnabled', 'vendor_account_problem', 'The account has not enabled the service.'],
  ['InvalidTimeStamp*', 'vendor_clock_skew', "The gateway's clock differs from the vendor's by too much."],
  ['IllegalTimestamp', 'vendor_clock_skew', "The gateway's clock differs from the vendor's by too much."],
  ['SignatureNonceUsed', 'vendor_unavailable', 'The vendor took the request for one it had seen.'],
  ['AgentError*', 'cluster_agent_failed', 'The agent on the cluster failed.'],
  ['EcsError', 'cluster_agent_failed', 'The cluster failed on a service underneath it.'],
  ['AliyunError', 'cluster_agent_failed', 'The cluster failed on a service underneath it.'],
  ['ServiceUnavailable*', 'vendor_unavailable', 'The vendor is unavailable for now.'],
  ['InternalError*', 'vendor_unavailable', 'The vendor failed.'],
  ['UnknownError', 'vendor_unavailable', 'The vendor failed.'],
  ['InvalidAction*', 'vendor_bad_response', 'The endpoint does not know this operation.'],
  ['InvalidApi*', 'vendor_bad_response', 'The endpoint does not know this operation.'],
  ['UnsupportedHTTPMethod', 'vendor_bad_response', 'The endpoint does not take this operation by POST.'],
  ['InvalidSignatureMethod', 'vendor_bad_response', 'The endpoint does not know this signature.'],
  ['NoSuchVersion', 'vendor_bad_response', 'The endpoint does not know this version of the API.'],
  ['Invalid*', 'invalid_user', 'The vendor does not accept a value of the user.'],
  ['Missing*', 'invalid_user', 'The vendor misses a value of the user.'],
];

const UNKNOWN_ACTION = /^(InvalidAction|InvalidApi)/;

const matches = (pattern: string, code: string): boolean =>
  pattern.endsWith('*') ? code.startsWith(pattern.slice(0, -1)) : code === pattern;

/** Codes of the API gateway, given before E-HPC is reached, although their meaning in general leaves open what happened. */
const REFUSED_BEFORE_EFFECT = /^(InvalidAction|InvalidApi|NoSuchVersion|UnsupportedHTTPMethod|InvalidSignatureMethod)/;

/** In milliseconds, as the official SDK reads it. */
const RETRY_AFTER_MS = 'x-acs-retry-after';

/**
 * The vendor's own word that it is busy. Every other failure of its own, a page of a proxy, and a nonce that was used (the same call
 * arrived before, and nobody saw its answer) leave open what happened.
 */
const BUSY = /^ServiceUnavailable/;

const effectOf = (code: string | null): { effect?: Effect } => {
  if (REFUSED_BEFORE_EFFECT.test(code ?? '')) return { effect: 'none' };
  return BUSY.test(code ?? '') ? { effect: 'ended' } : {};
};

const byStatus = (status: number): readonly [ErrorCode, string] => {
  if (status === 429) return ['vendor_rate_limited', 'The vendor throttles the account.'];
  if (status >= 500) return ['vendor_unavailable', 'The vendor is unavailable for now.'];
  return ['vendor_bad_response', 'The vendor refused the request with an answer that its documentation does not name.'];
};

/**
 * The answer's JSON object.
 * @throws GatewayError for everything that is no success
 */
export const readAnswer = (response: HttpResponse, now: Date): JsonObject => {
  const { status, headers } = response;
  const body = parseObject(response.body);
  const code = body && text(body['Code'] ?? body['code']);
  const requestId = (body && text(body['RequestId'] ?? body['requestId'])) ?? text(headers['x-acs-request-id']);
  if (body && status < 300 && !code) return { ...body, RequestId: requestId };

  const message = body && text(body['Message'] ?? body['message']);
  const vendor = { name: 'alibaba-ehpc', code, message, requestId, status };
  if (status < 300 && !code) throw badResponse('no JSON object', { vendor });

  const row = code === null ? undefined : CODES.find(([pattern]) => matches(pattern, code));
  const [ours, words] = row ? [row[1], row[2]] : byStatus(status);
  const wait = retryAfterMs(headers, now, RETRY_AFTER_MS);
  throw new GatewayError(ours, words, {
    vendor,
    ...(wait !== undefined && { retryAfterMs: wait }),
    ...effectOf(code),
  });
};

/** An answer of `readAnswer` that says success, and is not what was asked for. */
export const badShape = ({ RequestId }: JsonObject, what: string): GatewayError =>
  badResponse(what, { vendor: { name: 'alibaba-ehpc', code: null, message: null, requestId: text(RequestId), status: 200 } });

/** Whether the vendor did not accept the keys. */
export const isCredentialRefusal = (error: unknown): boolean =>
  error instanceof GatewayError && error.code === 'vendor_credentials_rejected';

/** Whether the endpoint does not know the action: older and private editions lack ListUsersAsync. */
export const isUnknownAction = (error: unknown): boolean =>
  error instanceof GatewayError && UNKNOWN_ACTION.test(error.vendor?.code ?? '');
