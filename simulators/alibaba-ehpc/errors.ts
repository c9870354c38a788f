import { Refusal } from '../kit/index.js';
import type { EhpcQuirks } from './quirks.js';

interface ErrorRow {
  readonly status: number;
  /** `%s` is filled with the detail. */
  readonly message: string;
}

/** 6b: E-HPC's own codes. Texts that the sheet could not recover follow their neighbours' wording. */
const EHPC: Record<string, ErrorRow> = {
  InvalidParams: { status: 400, message: 'The specified parameter %s is invalid.' },
  NotEnabled: { status: 400, message: 'You have not enabled this service' },
  InDebt: { status: 400, message: 'Your account has overdue payments.' },
  InvalidOpt: { status: 400, message: 'The specified operation is invalid. Please try again later.' },
  InvalidClusterStatus: { status: 403, message: 'The operation failed due to invalid cluster status.' },
  ConflictOpt: { status: 403, message: 'A conflicting operation is running.' },
  ExecFail: { status: 403, message: 'Failed to execute the command: %s.' },
  ClusterNotFound: { status: 404, message: 'The specified cluster does not exist.' },
  ManagerNotFound: { status: 404, message: 'The manager nodes do not exist or their status is abnormal.' },
  UserNotFound: { status: 404, message: 'The specified user does not exist: %s.' },
  AgentError: { status: 406, message: 'The agent service request failed.' },
  'AgentError.Account.DomainNotExist': { status: 406, message: 'The specified domain does not exist: %s.' },
  'AgentError.Account.GetentPasswdFailure': { status: 406, message: 'Failed to get the user list: %s.' },
  'AgentError.Account.GetUserListFailure': { status: 406, message: 'Get user list fail: %s' },
  'AgentError.Account.UserAlreadyExist': { status: 406, message: 'The specified user already exists in domain: %s.' },
  'AgentError.Account.UserAddFailure': { status: 406, message: 'Failed to add user to domain: %s.' },
  'AgentError.Account.UserDeleteFailure': { status: 406, message: 'Failed to delete user from domain: %s.' },
  'AgentError.Account.UserChangePasswordFailure': { status: 406, message: 'Failed to modify user password in domain: %s.' },
  'AgentError.Account.UserModifyGroupFailure': { status: 406, message: 'Failed to modify user group in domain: %s.' },
  'AgentError.Account.UserNotExist': { status: 406, message: 'The specified user does not exist in domain: %s.' },
  'AgentError.Account.NotAccountManager': { status: 406, message: 'The node is not an account manager.' },
  'AgentError.Account.AccountValidateCredentialFailure': { status: 406, message: 'Cannot get user info' },
  'AgentError.Account.UserSynFailure': { status: 406, message: 'synchronize users failed: %s' },
  EcsError: { status: 406, message: 'An error occurred while calling the ECS API operation.' },
  AliyunError: { status: 406, message: 'An Alibaba Cloud product error occurred.' },
  NotAuthorized: { status: 407, message: 'You are not authorized by RAM for this request.' },
  UnknownError: { status: 500, message: 'An unknown error occurred.' },
  ServiceUnavailable: { status: 503, message: 'The request has failed due to a temporary failure of the server' },
};

/** 6c: codes raised before E-HPC is reached. */
const GATEWAY: Record<string, ErrorRow> = {
  'InvalidAccessKeyId.NotFound': { status: 404, message: 'Specified access key is not found.' },
  'InvalidAccessKeyId.Inactive': { status: 400, message: 'Specified access key is disabled.' },
  MissingParameter: {
    status: 400,
    message: 'The input parameter "%s" that is mandatory for processing this request is not supplied.',
  },
  IncompleteSignature: {
    status: 400,
    message: 'The request signature does not conform to Aliyun standards. server string to sign is:%s',
  },
  SignatureDoesNotMatch: { status: 400, message: '%s' },
  InvalidSignatureMethod: { status: 400, message: 'Specified signature method is not valid.' },
  UnsupportedHTTPMethod: { status: 400, message: 'This http method is not supported.' },
  'InvalidTimeStamp.Format': { status: 400, message: 'Specified time stamp or date value is not well formatted.' },
  IllegalTimestamp: { status: 400, message: 'The input parameter "Timestamp" that is mandatory is not supplied.' },
  'InvalidTimeStamp.Expired': { status: 400, message: 'Specified time stamp or date value is expired.' },
  SignatureNonceUsed: { status: 400, message: 'Specified signature nonce was used already.' },
  'InvalidAction.NotFound': { status: 404, message: 'Specified api is not found, please check your url and method.' },
  'InvalidApi.NotFound': { status: 404, message: 'Specified api is not found, please check your url and method.' },
  InvalidAction: { status: 403, message: 'Specified action is not valid.' },
  NoSuchVersion: { status: 400, message: 'Specified version does not exist.' },
  'InvalidParameter.Format': { status: 400, message: 'Specified parameter format is not valid.' },
  'InvalidSecurityToken.Malformed': { status: 400, message: 'Specified SecurityToken is malformed.' },
  Throttling: { status: 400, message: 'Request was denied due to request throttling.' },
  'Throttling.User': { status: 400, message: 'Request was denied due to user flow control.' },
  'Throttling.Api': { status: 400, message: 'Request was denied due to api flow control.' },
  'Forbidden.RAM': {
    status: 403,
    message: 'User not authorized to operate on the specified resource, or this API does not support RAM.',
  },
  InternalError: { status: 500, message: 'The request processing has failed due to some unknown error.' },
};

const TABLE: Record<string, ErrorRow> = { ...EHPC, ...GATEWAY };

/** Bare statuses that a fault asks for, with the body that usually travels with them. */
export const CODE_OF_STATUS: Record<number, string> = {
  400: 'InvalidParams',
  403: 'Forbidden.RAM',
  404: 'InvalidApi.NotFound',
  406: 'AgentError',
  407: 'NotAuthorized',
  429: 'Throttling.User',
  500: 'InternalError',
  503: 'ServiceUnavailable',
};

const quirkStatus = (code: string, quirks: EhpcQuirks): number | undefined => {
  if (code.startsWith('Throttling')) return quirks.throttlingStatus;
  if (code === 'InvalidAccessKeyId.NotFound') return quirks.unknownKeyStatus;
  if (code === 'SignatureDoesNotMatch') return quirks.signatureStatus;
  return undefined;
};

export interface ErrorFacts {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly extra: Readonly<Record<string, unknown>>;
}

const missing = (code: string): ErrorRow => ({
  status: 400,
  message: `The input parameter "${code.slice('Missing'.length)}" that is mandatory for processing this request is not supplied.`,
});

const rowOf = (code: string): ErrorRow =>
  TABLE[code] ?? (code.startsWith('Missing') ? missing(code) : { status: 400, message: 'The specified value is not valid.' });

export const errorFacts = (refusal: Refusal, quirks: EhpcQuirks): ErrorFacts => {
  const { status, message } = rowOf(refusal.code);
  return {
    status: quirkStatus(refusal.code, quirks) ?? status,
    code: refusal.code,
    message: message.replace('%s', () => refusal.detail),
    extra: refusal.extra,
  };
};

export const refuse = (code: string, detail = '', extra: Readonly<Record<string, unknown>> = {}): never => {
  throw new Refusal(code, detail, extra);
};
