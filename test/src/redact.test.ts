import { describe, expect, it } from '@jest/globals';
import { redact } from '../../src/vendor/redact.js';

const SECRET = `p@ss 'w"o\\rd!*(~)`;
const strict = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

describe('redact', () => {
  it.each([
    ['plain', SECRET],
    ['in a URL', encodeURIComponent(SECRET)],
    ['in a signed query', strict(SECRET)],
    ['in a string to sign', strict(strict(SECRET))],
    ['in a form', strict(SECRET).replaceAll('%20', '+')],
    ['in JSON', JSON.stringify(SECRET).slice(1, -1)],
  ])('hides a secret %s', (_, spelling) => {
    expect(redact(`before ${spelling} after`, [SECRET])).toBe('before [redacted] after');
  });

  it('cuts the request that a vendor quotes', () => {
    expect(redact('not matched. server string to sign is:GET&%2F&AccessKeyId%3Dabc', [])).toBe(
      'not matched. server string to sign [redacted]',
    );
    expect(redact('server StringToSign is [ACS3-HMAC-SHA256\nabc]', [])).toBe('server StringToSign [redacted]');
  });

  it('hides URLs and the parts of a signed request', () => {
    const url = 'https://hpc.api.shanhe.com/api/user?access_key_id=AKIDX&signature=abc%253D';
    expect(redact(`GET ${url} refused`, [])).toBe('GET [redacted] refused');
    expect(redact('Signature=abc, access_key_id=AKIDX&x', [])).toBe('[redacted] [redacted]');
  });

  it('keeps what is no secret, and not too much of it', () => {
    expect(redact('The user exists: alice.', ['', 'other'])).toBe('The user exists: alice.');
    expect(redact('x'.repeat(1000), []).length).toBeLessThan(510);
  });
});
