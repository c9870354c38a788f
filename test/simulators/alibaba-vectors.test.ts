import { describe, expect, test } from '@jest/globals';
import {
  acs3CanonicalRequest,
  acs3Signature,
  acs3StringToSign,
  percentEncode,
  rpcSignature,
  rpcStringToSign,
  sha256Hex,
} from '../../simulators/alibaba-ehpc/canonical.js';
import { readCall } from '../../simulators/alibaba-ehpc/urls.js';
import { verifyCall } from '../../simulators/alibaba-ehpc/verify.js';
import {
  ACS3,
  type Acs3Vector,
  ADD,
  EMPTY_HASH,
  ehpc,
  FORM,
  FORM_TYPE,
  HOST,
  KEYS,
  LIST,
  NONCE,
  type Params,
  RPC,
  type RpcVector,
  TIME,
  wire,
} from '../vectors/alibaba-ehpc.js';

const rpcRequest = ({ id = KEYS.accessKeyId, method = 'GET', params, form, token, signature }: RpcVector) => {
  const inBody = form?.includes('AccessKeyId') ?? false;
  const query = { ...params, ...(inBody ? {} : { AccessKeyId: id }), ...(token ? { SecurityToken: token } : {}) };
  return readCall({
    method,
    path: '/',
    rawQuery: wire({ ...query, Signature: signature }),
    headers: { host: HOST, ...(form === undefined ? {} : { 'content-type': FORM_TYPE }) },
    body: Buffer.from(form ?? ''),
  });
};

const ringOf = ({
  id = KEYS.accessKeyId,
  secret = KEYS.accessKeySecret,
  token,
}: {
  id?: string;
  secret?: string;
  token?: string;
}) => ({
  accessKeyId: id,
  accessKeySecret: secret,
  ...(token === undefined ? {} : { securityToken: token }),
});

describe('RPC-v1 vectors', () => {
  test.each(Object.entries(RPC))('%s verifies', (_name, vector) => {
    const call = rpcRequest(vector);
    const now = new Date(call.values.get('Timestamp') ?? '');
    expect(verifyCall(call, ringOf(vector), now)).toBe(call.values.get('SignatureNonce'));
  });

  test.each(Object.entries(RPC))('%s is refused with one character changed', (_name, vector) => {
    const [first = ''] = vector.signature;
    const signature = `${first === 'A' ? 'B' : 'A'}${vector.signature.slice(1)}`;
    const call = rpcRequest({ ...vector, signature });
    const now = new Date(call.values.get('Timestamp') ?? '');
    expect(() => verifyCall(call, ringOf(vector), now)).toThrow('SignatureDoesNotMatch');
  });

  test('7, the unit test of the vendor core library', () => {
    expect(rpcSignature('accessKeySecret', rpcStringToSign('', [['test', 'ok']]))).toBe('jHx/oHoHNrbVfhncHEvPdHXZwHU=');
  });

  test('the string to sign of A1 and the twice encoded password of A2', () => {
    const pairs = (params: Params) => Object.entries({ ...params, AccessKeyId: KEYS.accessKeyId });
    expect(rpcStringToSign('GET', pairs({ ...ehpc('ListUsers'), ...LIST }))).toBe(
      'GET&%2F&AccessKeyId%3DtestAccessKeyId%26Action%3DListUsers%26ClusterId%3Dehpc-hz-FYUr32abcd%26Format%3Djson%26PageNumber%3D1%26PageSize%3D50%26SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3D5f2c1d0e9b8a47c6a3d2e1f001122334%26SignatureVersion%3D1.0%26Timestamp%3D2025-01-02T03%253A04%253A05Z%26Version%3D2018-04-12',
    );
    expect(rpcStringToSign('GET', pairs({ ...ehpc('AddUsers'), ...ADD }))).toContain(
      'User.1.Password%3DAbc1~%2521%2540%2523%2524%2525%255E%2526%252A%2528%2529_%252B%2520%253D%2527',
    );
  });

  test('percent-encoding leaves only unreserved characters', () => {
    expect(percentEncode("Az09-_.~ !'()*+/=&阿")).toBe('Az09-_.~%20%21%27%28%29%2A%2B%2F%3D%26%E9%98%BF');
  });
});

const acs3Request = (vector: Acs3Vector) => {
  const { id = KEYS.accessKeyId, host = HOST, date = TIME, nonce = NONCE, body = '', extra = {} } = vector;
  const signed: Params = {
    host,
    'x-acs-action': vector.action,
    'x-acs-content-sha256': body === '' ? EMPTY_HASH : 'd554f58e3c05eff25d80cfd882ecf252f3c66d5ccb78b871be71398f5f87b604',
    'x-acs-date': date,
    'x-acs-signature-nonce': nonce,
    'x-acs-version': vector.version,
    ...extra,
  };
  const names = Object.keys(signed).sort();
  const authorization = `ACS3-HMAC-SHA256 Credential=${id},SignedHeaders=${names.join(';')},Signature=${vector.signature}`;
  const headers = { ...signed, authorization, accept: 'application/json', 'user-agent': 'unsigned' };
  return {
    names,
    call: readCall({ method: vector.method, path: '/', rawQuery: wire(vector.query), headers, body: Buffer.from(body) }),
  };
};

const bySdk = (vector: Acs3Vector): Acs3Vector => ({
  ...vector,
  signature: vector.bySdk ?? '',
  extra: { ...vector.extra, 'x-acs-credentials-provider': vector.token === undefined ? 'static_ak' : 'static_sts' },
});

describe('ACS3 vectors', () => {
  test.each(Object.entries(ACS3))('%s verifies', (_name, vector) => {
    const { call } = acs3Request(vector);
    expect(verifyCall(call, ringOf(vector), new Date(vector.date ?? TIME))).toBe(vector.nonce ?? NONCE);
  });

  test.each(Object.entries(ACS3).filter(([, { canonicalHash }]) => canonicalHash))('%s: hash and signature', (_name, vector) => {
    const { names, call } = acs3Request(vector);
    const { method, path, headers, body } = call.request;
    const canonical = acs3CanonicalRequest({
      method,
      path,
      query: call.query,
      headers,
      signedHeaders: names,
      bodyHash: sha256Hex(body),
    });
    expect(sha256Hex(canonical)).toBe(vector.canonicalHash);
    expect(acs3Signature(vector.secret ?? KEYS.accessKeySecret, acs3StringToSign(canonical))).toBe(vector.signature);
  });

  test.each(Object.entries(ACS3).filter(([, vector]) => vector.bySdk))('%s as the official client sends it', (_name, vector) => {
    expect(verifyCall(acs3Request(bySdk(vector)).call, ringOf(vector), new Date(TIME))).toBe(NONCE);
  });

  test('the trap of the current page does not verify: signature of 5, date and nonce of 6', () => {
    const mixed = { ...(ACS3['6 RunInstances, older page'] as Acs3Vector), signature: ACS3['5 RunInstances']?.signature ?? '' };
    const { call } = acs3Request(mixed);
    expect(() => verifyCall(call, ringOf(mixed), new Date('2023-10-26T09:01:01Z'))).toThrow('SignatureDoesNotMatch');
  });

  test('a body that does not fit its signed hash is refused', () => {
    const vector = ACS3['B6 form body'];
    if (vector === undefined) throw new Error('no vector');
    const { call } = acs3Request({ ...vector, body: FORM.replace('bob001', 'bob002') });
    expect(() => verifyCall(call, ringOf(vector), new Date(TIME))).toThrow('SignatureDoesNotMatch');
  });
});
