import type { Reply, Shape } from '../kit/index.js';
import { spoilRow } from '../kit/rows.js';
import { mappedStatus, messageOf } from './errors.js';
import type { ShanheQuirks } from './quirks.js';

type Fields = Readonly<Record<string, unknown>>;

const TYPE = 'application/json';

/** 6.1: the success envelope. */
export const success = (action: string, fields: Fields): Reply => ({
  status: 200,
  code: 'OK',
  contentType: TYPE,
  body: JSON.stringify({ action, ret_code: 0, ...fields }),
});

export interface Failure {
  readonly code: string;
  readonly message?: string | undefined;
  readonly status?: number | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** 6.1: a failure has exactly two keys, and travels with HTTP 200. */
export const failure = ({ code, message = messageOf(code), status, headers = {} }: Failure, quirks: ShanheQuirks): Reply => {
  const numeric = /^\d+$/.test(code) ? Number(code) : code;
  return {
    status: status ?? (quirks.httpStatus === 'mapped' ? mappedStatus(code) : 200),
    code,
    contentType: TYPE,
    body: JSON.stringify({ ret_code: numeric, message }),
    headers,
  };
};

const LISTS = ['users_set', 'user_set', 'job_set', 'cluster_set', 'job_id'];

const NAMES = ['username', 'cluster_id', 'job_id'];

const spoil = (rows: readonly unknown[], shape: Shape): unknown => {
  if (shape === 'object') return Object.fromEntries(rows.map((row, at) => [`row${at}`, row]));
  return spoilRow(rows, shape, NAMES) ?? rows.map((row) => String((row as Fields)['username'] ?? 'row'));
};

/** Valid JSON of the wrong shape; the payload of a write is its job_id. */
export const corrupt = (reply: Reply, shape: Shape): Reply => {
  if (shape === 'array') return { ...reply, body: '[]' };
  if (shape === 'null') return { ...reply, body: 'null' };
  const fields: Record<string, unknown> = JSON.parse(reply.body);
  const key = LISTS.find((name) => name in fields);
  if (key === undefined) return { ...reply, body: shape === 'missing' ? '{}' : '["OK"]' };
  const payload = fields[key];
  if (shape === 'missing') delete fields[key];
  else fields[key] = Array.isArray(payload) ? spoil(payload, shape) : [payload];
  return { ...reply, body: JSON.stringify(fields) };
};
