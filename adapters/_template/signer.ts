/**
 * The signature of Example HPC, pure: no clock, no randomness, no network.
 * EDIT: the vendor's algorithm and the page that describes it. Pin it to the vendor's own example in test/vectors/.
 */
import { createHash, createHmac } from 'node:crypto';
import { canonicalQuery, type Params, utcSeconds } from '../../src/encoding.js';
import { Secret } from '../../src/secret.js';
import type { SignedRequest } from '../../src/vendor/client.js';
import type { Credentials } from './config.js';

export interface SignedCall {
  readonly method: 'GET' | 'POST';
  /** Without a slash at the end. */
  readonly endpoint: string;
  readonly path: string;
  readonly query: Params;
  /** JSON text of a POST, signed and sent byte for byte. */
  readonly body?: string;
}

/** @param target path and query as they stand in the URL */
export const stringToSign = (method: string, target: string, time: string, nonce: string, body: string): string =>
  [method, target, time, nonce, createHash('sha256').update(body).digest('hex')].join('\n');

/** Lower-case hex HMAC-SHA256. */
export const signature = (text: string, secret: Secret): string =>
  createHmac('sha256', secret.unwrap()).update(text).digest('hex');

/** `date` and `nonce` are new for each attempt. */
export const sign = (call: SignedCall, credentials: Credentials, date: Date, nonce: string): SignedRequest => {
  const query = canonicalQuery(call.query);
  const url = `${call.endpoint}${call.path}${query && `?${query}`}`;
  const { pathname, search } = new URL(url);
  const time = utcSeconds(date);
  const signed = signature(stringToSign(call.method, `${pathname}${search}`, time, nonce, call.body ?? ''), credentials.secret);
  return {
    method: call.method,
    url,
    headers: {
      'x-key-id': credentials.keyId,
      'x-time': time,
      'x-nonce': nonce,
      'x-signature': signed,
      ...(call.body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(call.body !== undefined && { body: call.body }),
    secrets: [new Secret(signed), credentials.secret],
  };
};
