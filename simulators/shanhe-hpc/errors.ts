import { Refusal } from '../kit/index.js';

/** 6.2: meanings of ret_code. A message starts with a short English class name (6.1); its text is no contract. */
const MESSAGES: Record<string, string> = {
  '1100': 'InvalidRequestFormat, required parameter is missing or badly formatted',
  '1101': 'InvalidRequestMethod, no such method or wrong parameter value',
  '1200': 'AuthFailure, unknown access key or signature not matched',
  '1300': 'RequestHasExpired, message is expired',
  '1400': 'PermissionDenied, you can not access this resource',
  '2100': 'ResourceNotFound, resource not found',
  '2110': 'ResourceAlreadyExists, resource already exists',
  '2400': 'InsufficientBalance, balance is not enough',
  '2500': 'QuotaExceeded, quota of resources or of API calls is exceeded',
  '5000': 'InternalError, internal error',
  '5100': 'ServerBusy, server is busy, please try again later',
  '5200': 'InsufficientResource, resources are insufficient',
  '5300': 'ServiceUpdating, service is being updated, please try again later',
};

/** For the `mapped` switch only: HTTP statuses are not documented (6.1). */
const STATUSES: Record<string, number> = {
  '1100': 400,
  '1101': 400,
  '1200': 401,
  '1300': 401,
  '1400': 403,
  '2100': 404,
  '2110': 409,
  '2500': 429,
  '5100': 503,
  '5200': 503,
  '5300': 503,
};

export const messageOf = (code: string, detail = ''): string => {
  const text = MESSAGES[code] ?? `Error, ret_code ${code}`;
  return detail === '' ? text : `${text.split(',')[0]}, ${detail}`;
};

export const mappedStatus = (code: string): number => STATUSES[code] ?? (Number(code) < 5000 ? 400 : 500);

export const refuse = (code: string, detail = ''): never => {
  throw new Refusal(code, detail);
};
