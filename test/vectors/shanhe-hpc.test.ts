import { describe, expect, it } from '@jest/globals';
import { type ShanheCall, sign, signature, stringToSign } from '../../adapters/shanhe-hpc/signer.js';
import { Secret } from '../../src/secret.js';
import { common, SECRET, TIME, V3, VECTORS } from './shanhe-hpc.js';

const CREDENTIALS = { accessKeyId: 'QYACCESSKEYIDEXAMPLE', secretAccessKey: new Secret(SECRET) };

describe('whole requests', () => {
  it.each(Object.entries(VECTORS))('%s', (_, { method, path, extra, body, raw }) => {
    const query = Object.fromEntries(new URLSearchParams(extra));
    const request = sign(
      {
        method: method as ShanheCall['method'],
        endpoint: 'https://hpc.api.shanhe.com:443/api',
        path,
        query: { zone: 'jn1a', ...query },
        ...(body !== '' && { body }),
      },
      CREDENTIALS,
      new Date(TIME),
    );
    const [url = '', sent = ''] = request.url.split('?');
    expect(url).toBe(`https://hpc.api.shanhe.com:443/api${path}`);
    expect(decodeURIComponent(decodeURIComponent(/&signature=([^&]+)$/.exec(sent)?.[1] ?? ''))).toBe(raw);
    expect(request.body ?? '').toBe(body);
  });

  it('V1: the signature as printed, encoded twice, at the end', () => {
    const request = sign(
      { method: 'GET', endpoint: 'https://hpc.api.shanhe.com/api', path: '/cluster/list', query: { zone: 'jn1a' } },
      CREDENTIALS,
      new Date(TIME),
    );
    expect(request.url).toBe(
      `https://hpc.api.shanhe.com/api/cluster/list?${common('jn1a')}&signature=W68niby0THV%252BXsKcRxuGblFm2a4XbTdto129JkSH2%252FM%253D`,
    );
  });
});

describe('texts', () => {
  it('V1: the string to sign', () => {
    const text = stringToSign('GET', '/api/cluster/list/', common('jn1a'), '');
    expect(text).toBe(`GET\n/api/cluster/list/\n${common('jn1a')}\nd41d8cd98f00b204e9800998ecf8427e`);
    expect(signature(text, new Secret(SECRET))).toBe('W68niby0THV+XsKcRxuGblFm2a4XbTdto129JkSH2/M=');
  });

  it('V3: the HMAC helper on the sister API', () => {
    expect(encodeURIComponent(signature(V3.text, new Secret(SECRET)))).toBe(V3.signature);
  });
});
