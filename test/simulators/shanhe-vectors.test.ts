import { describe, expect, test } from '@jest/globals';
import { canonicalQuery, md5Hex, percentEncode, rawSignature, stringToSign } from '../../simulators/shanhe-hpc/canonical.js';
import { readCall } from '../../simulators/shanhe-hpc/urls.js';
import { verifyCall } from '../../simulators/shanhe-hpc/verify.js';
import { common, SECRET, TIME, V3, VECTORS } from '../vectors/shanhe-hpc.js';

const RULES = { accessKeyId: 'QYACCESSKEYIDEXAMPLE', secretAccessKey: SECRET, zones: ['jn1a', 'jinan1a'], lenient: false };

const callOf = ({ method, path, extra, body }: (typeof VECTORS)['D1'], signature: string) =>
  readCall({
    method,
    path: `/api${path}`,
    rawQuery: `${common('jn1a')}${extra}&signature=${signature}`,
    headers: {},
    body: Buffer.from(body),
  });

describe.each(Object.entries(VECTORS))('%s', (_name, vector) => {
  const twice = percentEncode(percentEncode(vector.raw));

  test('verifies with a signature that is encoded twice', () => {
    expect(() => verifyCall(callOf(vector, twice), RULES, new Date(TIME))).not.toThrow();
  });

  test('is refused with another secret, a changed signature or one encoding', () => {
    const refused = (signature: string, rules = RULES) =>
      expect(() => verifyCall(callOf(vector, signature), rules, new Date(TIME))).toThrow('1200');
    refused(twice, { ...RULES, secretAccessKey: 'SECRETACCESSKEYSECRETACCESSKEY' });
    refused(twice.startsWith('A') ? `B${twice.slice(1)}` : `A${twice.slice(1)}`);
    refused(percentEncode(vector.raw));
  });
});

describe('published texts', () => {
  test('V1: string to sign and encoded signature, with the zone it was computed with', () => {
    const text = stringToSign('GET', '/api/cluster/list/', canonicalQuery(common('jn1a')), '');
    expect(text).toBe(`GET\n/api/cluster/list/\n${common('jn1a')}\nd41d8cd98f00b204e9800998ecf8427e`);
    expect(percentEncode(percentEncode(rawSignature(SECRET, text)))).toBe(
      'W68niby0THV%252BXsKcRxuGblFm2a4XbTdto129JkSH2%252FM%253D',
    );
  });

  test('V1: the zone as printed gives another signature, and so does the path without slash', () => {
    const raw = (zone: string, path: string) => rawSignature(SECRET, stringToSign('GET', path, common(zone), ''));
    expect(raw('jinan1a', '/api/cluster/list/')).toBe('fuaaMdgEpq315d6SJPwhiaw3XantkrjQW4gQOg2FNkI=');
    expect(raw('jn1a', '/api/cluster/list')).toBe('WrZ04BE9qNWJ8aFTwVKHy2fgxyJt7CVgqqg0uafmJWE=');
  });

  test('V3: the HMAC helper on the sister API', () => {
    expect(percentEncode(rawSignature(SECRET, V3.text))).toBe(V3.signature);
  });

  test('D3 and D4: MD5 of the exact body', () => {
    expect(md5Hex(VECTORS.D3.body)).toBe('5f0a254ad4b820fc4b9b7edd52e61568');
    expect(md5Hex(VECTORS.D4.body)).toBe('a417633e488e4d97789d8c39956bb6fa');
  });

  test('the raw query is sorted, never decoded, and loses only its signature', () => {
    expect(canonicalQuery('b=%2a&signature=x&a=1+2')).toBe('a=1+2&b=%2a');
  });
});
