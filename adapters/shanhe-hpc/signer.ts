/**
 * The signature of Shanhe and QingCloud HPC, pure. It is not that of their IaaS API: it has a line with the MD5 of the body, signs a
 * path with a trailing slash that the URL lacks, and encodes the signature twice.
 * https://docsv4embed.qingcloud.com/user_guide/compute/hpc/api/get_api/signature
 */
import { createHash, createHmac } from 'node:crypto';
import { canonicalQuery, type Params, percentEncode, utcSeconds } from '../../src/encoding.js';
import { keyIdSecrets, Secret } from '../../src/secret.js';
import type { SignedRequest } from '../../src/vendor/client.js';
import type { ShanheCredentials } from './config.js';

export interface ShanheCall {
  readonly method: 'GET' | 'POST';
  /** Scheme, host, port and `/api`, without a slash at the end. */
  readonly endpoint: string;
  /** `/user/addUser`: the operation. */
  readonly path: string;
  readonly query: Params;
  /** JSON text of a POST, signed and sent byte for byte. */
  readonly body?: string;
}

/** @param path as signed: with the trailing slash */
export const stringToSign = (method: string, path: string, query: string, body: string): string =>
  [method, path, query, createHash('md5').update(body).digest('hex')].join('\n');

/** Base64 HMAC-SHA256. */
export const signature = (text: string, secret: Secret): string =>
  createHmac('sha256', secret.unwrap()).update(text).digest('base64');

export const sign = (call: ShanheCall, credentials: ShanheCredentials, date: Date): SignedRequest => {
  const query = canonicalQuery({
    ...call.query,
    access_key_id: credentials.accessKeyId,
    signature_method: 'HmacSHA256',
    signature_version: '1',
    timestamp: utcSeconds(date),
    version: '1',
  });
  const signedPath = `${new URL(call.endpoint).pathname.replace(/\/+$/, '')}${call.path}/`;
  const raw = signature(stringToSign(call.method, signedPath, query, call.body ?? ''), credentials.secretAccessKey);
  return {
    method: call.method,
    url: `${call.endpoint}${call.path}?${query}&signature=${percentEncode(percentEncode(raw))}`,
    headers: call.body === undefined ? {} : { 'content-type': 'application/json' },
    ...(call.body !== undefined && { body: call.body }),
    // The vendor's server reads it decoded once.
    secrets: [
      new Secret(raw),
      new Secret(percentEncode(raw)),
      ...keyIdSecrets(credentials.accessKeyId),
      credentials.secretAccessKey,
    ],
  };
};
