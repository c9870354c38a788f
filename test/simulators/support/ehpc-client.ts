import { createHash, createHmac, randomUUID } from 'node:crypto';
import { type Answer, send } from './http.js';

/** A client of its own, written from the vendor's pages; it shares nothing with the simulator that it tests. */
export interface Keys {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly securityToken?: string;
}

export interface Options {
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly version?: string;
  readonly at?: Date;
  readonly nonce?: string;
  /** Operation parameters go into a form body. */
  readonly form?: boolean;
  /** Last touch before the request leaves. */
  readonly spoil?: (request: { url: string; headers: Record<string, string>; body: string }) => void;
  /** What the signed header claims about the body. */
  readonly claimedHash?: string;
  readonly omit?: string;
  readonly format?: string | null;
  readonly timeoutMs?: number;
}

export type Params = Readonly<Record<string, string>>;

export interface Reply extends Answer {
  readonly json: Record<string, unknown>;
}

const FORM = 'application/x-www-form-urlencoded';
const encode = (text: string) =>
  [...Buffer.from(text, 'utf8')]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      return /[A-Za-z0-9\-_.~]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
const join = (params: Params) =>
  Object.keys(params)
    .sort()
    .map((name) => `${encode(name)}=${encode(params[name] ?? '')}`)
    .join('&');
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const isoSeconds = (date: Date) => date.toISOString().replace(/\.\d{3}Z$/, 'Z');

const deliver = async (
  method: string,
  request: { url: string; headers: Record<string, string>; body: string },
  options: Options,
) => {
  options.spoil?.(request);
  const timeout = options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs };
  const answer = await send({ method, ...request, ...timeout });
  let json: Record<string, unknown> = {};
  try {
    json = JSON.parse(answer.text);
  } catch {
    // XML, HTML and cut bodies are looked at as text.
  }
  return { ...answer, json };
};

export const acs3 = async (keys: Keys, action: string, params: Params = {}, options: Options = {}): Promise<Reply> => {
  const { method = 'GET', version = '2018-04-12', at = new Date(), nonce = randomUUID(), form = false } = options;
  const body = form ? join(params) : '';
  const query = form ? '' : join(params);
  const headers: Record<string, string> = {
    host: new URL(keys.endpoint).host,
    'x-acs-action': action,
    'x-acs-version': version,
    'x-acs-date': isoSeconds(at),
    'x-acs-signature-nonce': nonce,
    'x-acs-content-sha256': options.claimedHash ?? sha256(body),
    ...(form ? { 'content-type': FORM } : {}),
    ...(keys.securityToken === undefined ? {} : { 'x-acs-security-token': keys.securityToken }),
  };
  if (options.omit !== undefined) delete headers[options.omit];
  const names = Object.keys(headers).sort();
  const block = names.map((name) => `${name}:${headers[name]}\n`).join('');
  const canonical = `${method}\n/\n${query}\n${block}\n${names.join(';')}\n${sha256(body)}`;
  const signature = createHmac('sha256', keys.accessKeySecret)
    .update(`ACS3-HMAC-SHA256\n${sha256(canonical)}`)
    .digest('hex');
  headers['authorization'] =
    `ACS3-HMAC-SHA256 Credential=${keys.accessKeyId},SignedHeaders=${names.join(';')},Signature=${signature}`;
  return deliver(method, { url: `${keys.endpoint}/?${query}`, headers, body }, options);
};

export const rpc = async (keys: Keys, action: string, params: Params = {}, options: Options = {}): Promise<Reply> => {
  const {
    method = 'GET',
    version = '2018-04-12',
    at = new Date(),
    nonce = randomUUID(),
    form = false,
    format = 'JSON',
  } = options;
  const all: Record<string, string> = {
    ...params,
    Action: action,
    Version: version,
    ...(format === null ? {} : { Format: format }),
    AccessKeyId: keys.accessKeyId,
    SignatureMethod: 'HMAC-SHA1',
    SignatureVersion: '1.0',
    SignatureNonce: nonce,
    Timestamp: isoSeconds(at),
    ...(keys.securityToken === undefined ? {} : { SecurityToken: keys.securityToken }),
  };
  if (options.omit !== undefined) delete all[options.omit];
  const text = `${method}&%2F&${encode(join(all))}`;
  const signature = createHmac('sha1', `${keys.accessKeySecret}&`).update(text).digest('base64');
  const signed = options.omit === 'Signature' ? join(all) : `${join(all)}&Signature=${encode(signature)}`;
  const request = form
    ? { url: `${keys.endpoint}/`, headers: { 'content-type': FORM }, body: signed }
    : { url: `${keys.endpoint}/?${signed}`, headers: {}, body: '' };
  return deliver(method, request, options);
};

/** `User.1.Name=…` for a list of entries. */
export const userParams = (clusterId: string, users: readonly Record<string, string>[]): Params =>
  Object.fromEntries([
    ['ClusterId', clusterId],
    ...users.flatMap((user, index) => Object.entries(user).map(([field, value]) => [`User.${index + 1}.${field}`, value])),
  ]);

export interface UserInfo {
  readonly Name: string;
  readonly Group: string;
  readonly AddTime?: string;
  readonly UserId?: string | number;
  readonly GroupId?: string | number;
}

export const rowsOf = (reply: Reply): UserInfo[] => (reply.json['Users'] as { UserInfo: UserInfo[] }).UserInfo;
