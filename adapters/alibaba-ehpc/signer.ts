/**
 * The two signatures of Alibaba Cloud's RPC gateway, pure.
 * ACS3: https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature
 * RPC v1 ("V2 signature"): https://help.aliyun.com/en/sdk/product-overview/rpc-mechanism
 */
import { createHash, createHmac } from 'node:crypto';
import { canonicalQuery, type Params, percentEncode, utcSeconds } from '../../src/encoding.js';
import { keyIdSecrets, Secret } from '../../src/secret.js';
import type { SignedRequest } from '../../src/vendor/client.js';
import type { EhpcCredentials } from './config.js';

export interface RpcCall {
  readonly method: 'GET' | 'POST';
  /** Scheme, host and port. */
  readonly endpoint: string;
  readonly action: string;
  readonly version: string;
  readonly query: Params;
  /** Of a POST, as form fields; a password is here, not in the URL. */
  readonly form?: Params;
}

/** What differs from attempt to attempt. */
export interface Stamp {
  readonly credentials: EhpcCredentials;
  readonly date: Date;
  readonly nonce: string;
}

const FORM = 'application/x-www-form-urlencoded';

const byCodeUnit = ([a]: [string, string], [b]: [string, string]): number => (a < b ? -1 : a > b ? 1 : 0);

const sha256 = (data: string): string => createHash('sha256').update(data).digest('hex');

export const rpcStringToSign = (method: string, params: Params): string =>
  `${method}&${percentEncode('/')}&${percentEncode(canonicalQuery(params))}`;

/** Base64 HMAC-SHA1; the key ends in an ampersand. */
export const rpcSignature = (method: string, params: Params, secret: Secret): string =>
  createHmac('sha1', `${secret.unwrap()}&`).update(rpcStringToSign(method, params)).digest('base64');

export const acs3CanonicalRequest = (method: string, query: Params, headers: Params, bodyHash: string): string => {
  const signed = Object.entries(headers).sort(byCodeUnit);
  const block = signed.map(([name, value]) => `${name}:${value.trim()}\n`).join('');
  return [method, '/', canonicalQuery(query), block, signed.map(([name]) => name).join(';'), bodyHash].join('\n');
};

/** Lower-case hex HMAC-SHA256; `headers` are those to be signed, with lower-case names. */
export const acs3Signature = (method: string, query: Params, headers: Params, bodyHash: string, secret: Secret): string =>
  createHmac('sha256', secret.unwrap())
    .update(`ACS3-HMAC-SHA256\n${sha256(acs3CanonicalRequest(method, query, headers, bodyHash))}`)
    .digest('hex');

/** What of a request is not to be shown. */
const secretsOf = ({ accessKeyId, accessKeySecret, securityToken }: EhpcCredentials, signature: string): Secret[] => [
  new Secret(signature),
  ...keyIdSecrets(accessKeyId),
  accessKeySecret,
  ...(securityToken ? [securityToken] : []),
];

export const signAcs3 = (call: RpcCall, { credentials, date, nonce }: Stamp): SignedRequest => {
  const body = call.form && canonicalQuery(call.form);
  const bodyHash = sha256(body ?? '');
  const headers: Record<string, string> = {
    host: new URL(call.endpoint).host,
    'x-acs-action': call.action,
    'x-acs-version': call.version,
    'x-acs-date': utcSeconds(date),
    'x-acs-signature-nonce': nonce,
    'x-acs-content-sha256': bodyHash,
    ...(body !== undefined && { 'content-type': FORM }),
    ...(credentials.securityToken && {
      'x-acs-security-token': credentials.securityToken.unwrap(),
      'x-acs-accesskey-id': credentials.accessKeyId,
    }),
  };
  const signature = acs3Signature(call.method, call.query, headers, bodyHash, credentials.accessKeySecret);
  const names = Object.keys(headers).sort().join(';');
  const query = canonicalQuery(call.query);
  return {
    method: call.method,
    url: `${call.endpoint}/${query && `?${query}`}`,
    headers: {
      ...headers,
      authorization: `ACS3-HMAC-SHA256 Credential=${credentials.accessKeyId},SignedHeaders=${names},Signature=${signature}`,
    },
    ...(body !== undefined && { body }),
    secrets: secretsOf(credentials, signature),
  };
};

export const signRpcV1 = (call: RpcCall, { credentials, date, nonce }: Stamp): SignedRequest => {
  const query: Params = {
    Action: call.action,
    Version: call.version,
    Format: 'json',
    AccessKeyId: credentials.accessKeyId,
    SignatureMethod: 'HMAC-SHA1',
    SignatureVersion: '1.0',
    SignatureNonce: nonce,
    Timestamp: utcSeconds(date),
    ...(credentials.securityToken && { SecurityToken: credentials.securityToken.unwrap() }),
    ...call.query,
  };
  const signature = rpcSignature(call.method, { ...query, ...call.form }, credentials.accessKeySecret);
  return {
    method: call.method,
    url: `${call.endpoint}/?${canonicalQuery({ ...query, Signature: signature })}`,
    headers: call.form ? { 'content-type': FORM } : {},
    ...(call.form && { body: canonicalQuery(call.form) }),
    secrets: secretsOf(credentials, signature),
  };
};
