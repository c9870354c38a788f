import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  acs3CanonicalRequest,
  acs3Signature,
  type RpcCall,
  rpcSignature,
  rpcStringToSign,
  signAcs3,
  signRpcV1,
} from '../../adapters/alibaba-ehpc/signer.js';
import { Secret } from '../../src/secret.js';
import {
  ACS3,
  type Acs3Vector,
  ADD,
  EMPTY_HASH,
  ehpc,
  FORM,
  HOST,
  KEYS,
  LIST,
  NONCE,
  type Params,
  RPC,
  type RpcVector,
  TIME,
  TOKEN,
} from './alibaba-ehpc.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const stamp = (token?: string) => ({
  credentials: {
    accessKeyId: KEYS.accessKeyId,
    accessKeySecret: new Secret(KEYS.accessKeySecret),
    ...(token && { securityToken: new Secret(token) }),
  },
  date: new Date(TIME),
  nonce: NONCE,
});
const call = (method: RpcCall['method'], action: string, query: Params, form?: Params): RpcCall => ({
  method,
  endpoint: `https://${HOST}`,
  action,
  version: '2018-04-12',
  query,
  ...(form && { form }),
});

describe('RPC-v1: the signature of every example', () => {
  const paramsOf = ({ id = KEYS.accessKeyId, params, form, token }: RpcVector): Params => ({
    AccessKeyId: id,
    ...params,
    ...Object.fromEntries(new URLSearchParams(form?.replaceAll('+', '%20'))),
    ...(token && { SecurityToken: token }),
  });

  it.each(Object.entries(RPC))('%s', (_, vector) => {
    expect(rpcSignature(vector.method ?? 'GET', paramsOf(vector), new Secret(vector.secret ?? KEYS.accessKeySecret))).toBe(
      vector.signature,
    );
  });

  it('7, the unit test of the vendor’s core library', () => {
    expect(rpcSignature('', { test: 'ok' }, new Secret('accessKeySecret'))).toBe('jHx/oHoHNrbVfhncHEvPdHXZwHU=');
  });

  it('the string to sign of A1, and the password in that of A2', () => {
    expect(rpcStringToSign('GET', { AccessKeyId: KEYS.accessKeyId, ...ehpc('ListUsers'), ...LIST })).toBe(
      'GET&%2F&AccessKeyId%3DtestAccessKeyId%26Action%3DListUsers%26ClusterId%3Dehpc-hz-FYUr32abcd%26Format%3Djson%26PageNumber%3D1%26PageSize%3D50%26SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3D5f2c1d0e9b8a47c6a3d2e1f001122334%26SignatureVersion%3D1.0%26Timestamp%3D2025-01-02T03%253A04%253A05Z%26Version%3D2018-04-12',
    );
    expect(rpcStringToSign('GET', ADD)).toContain(
      'User.1.Password%3DAbc1~%2521%2540%2523%2524%2525%255E%2526%252A%2528%2529_%252B%2520%253D%2527',
    );
  });
});

describe('RPC-v1: whole requests', () => {
  const signatureOf = (url: string): string | null => new URL(url).searchParams.get('Signature');

  it.each([
    ['A1', call('GET', 'ListUsers', LIST), undefined],
    ['A2', call('GET', 'AddUsers', ADD), undefined],
    ['A3', call('GET', 'ListUsers', LIST), TOKEN],
    ['A4', call('POST', 'AddUsers', {}, ADD), undefined],
  ] as const)('%s', (name, rpcCall, token) => {
    const expected = Object.entries(RPC).find(([key]) => key.startsWith(`${name} `))?.[1].signature;
    const request = signRpcV1(rpcCall, stamp(token));
    expect(signatureOf(request.url)).toBe(expected);
  });

  it('keeps passwords out of the URL', () => {
    const { url, body, headers } = signRpcV1(call('POST', 'AddUsers', {}, ADD), stamp());
    expect(url).not.toContain('Passw0rd');
    expect(body).toContain('User.2.Password=Passw0rd%21');
    expect(headers['content-type']).toBe('application/x-www-form-urlencoded');
  });
});

const signedHeaders = (vector: Acs3Vector, bodyHash: string): Params => ({
  host: vector.host ?? HOST,
  'x-acs-action': vector.action,
  'x-acs-content-sha256': bodyHash,
  'x-acs-date': vector.date ?? TIME,
  'x-acs-signature-nonce': vector.nonce ?? NONCE,
  'x-acs-version': vector.version,
  ...vector.extra,
});

describe('ACS3: the signature of every example', () => {
  const bodyHashOf = ({ body }: Acs3Vector): string => (body === undefined ? EMPTY_HASH : sha256(body));

  it.each(Object.entries(ACS3))('%s', (_, vector) => {
    const bodyHash = bodyHashOf(vector);
    const headers = signedHeaders(vector, bodyHash);
    const canonical = acs3CanonicalRequest(vector.method, vector.query, headers, bodyHash);
    if (vector.canonicalHash) expect(sha256(canonical)).toBe(vector.canonicalHash);
    expect(acs3Signature(vector.method, vector.query, headers, bodyHash, new Secret(vector.secret ?? KEYS.accessKeySecret))).toBe(
      vector.signature,
    );
  });

  it.each(Object.entries(ACS3).filter(([, vector]) => vector.bySdk))('%s, as the official client sends it', (_, vector) => {
    const bodyHash = bodyHashOf(vector);
    const headers = {
      ...signedHeaders(vector, bodyHash),
      'x-acs-credentials-provider': vector.token ? 'static_sts' : 'static_ak',
    };
    expect(acs3Signature(vector.method, vector.query, headers, bodyHash, new Secret(KEYS.accessKeySecret))).toBe(vector.bySdk);
  });

  it('B6: the hash of the form body', () => {
    expect(sha256(FORM)).toBe('d554f58e3c05eff25d80cfd882ecf252f3c66d5ccb78b871be71398f5f87b604');
  });
});

describe('ACS3: whole requests', () => {
  it.each(['5 ', '6 ', 'B1 ', 'B2 ', 'B3 ', 'B4 ', 'B5 '])('%s', (prefix) => {
    const vector = Object.entries(ACS3).find(([name]) => name.startsWith(prefix))?.[1] as Acs3Vector;
    const { id = KEYS.accessKeyId, secret = KEYS.accessKeySecret, token } = vector;
    const request = signAcs3(
      {
        method: vector.method as 'GET' | 'POST',
        endpoint: `https://${vector.host ?? HOST}`,
        action: vector.action,
        version: vector.version,
        query: vector.query,
      },
      {
        credentials: { accessKeyId: id, accessKeySecret: new Secret(secret), ...(token && { securityToken: new Secret(token) }) },
        date: new Date(vector.date ?? TIME),
        nonce: vector.nonce ?? NONCE,
      },
    );
    const names = Object.keys(signedHeaders(vector, EMPTY_HASH)).sort().join(';');
    expect(request.headers['authorization']).toBe(
      `ACS3-HMAC-SHA256 Credential=${id},SignedHeaders=${names},Signature=${vector.signature}`,
    );
  });

  it('signs the very bytes of a form body, content type included', () => {
    const { body = '', headers, url } = signAcs3(call('POST', 'AddUsers', {}, ADD), stamp());
    expect(headers['x-acs-content-sha256']).toBe(sha256(body));
    expect(headers['authorization']).toContain('SignedHeaders=content-type;host;');
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual(ADD);
    expect(url).toBe(`https://${HOST}/`);
  });
});
