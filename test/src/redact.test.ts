import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Secret } from '../../src/secret.js';
import { createRedactor, withoutRequest } from '../../src/vendor/redact.js';

const SECRET = `p@ss 'w"o\\rd!*(~)`;
const redactor = (...secrets: readonly string[]) => createRedactor(secrets.map((secret) => new Secret(secret)));
const strict = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
const quoted = (text: string): string => JSON.stringify(text).slice(1, -1);
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const hex = (text: string): string => Buffer.from(text).toString('hex');
const escaped = (text: string): string =>
  text.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
const entities = (text: string): string => text.replace(/./gu, (char) => `&#${char.codePointAt(0)};`);

describe('redaction', () => {
  it.each([
    ['plain', SECRET],
    ['in a URL', encodeURIComponent(SECRET)],
    ['in a signed query', strict(SECRET)],
    ['in a string to sign', strict(strict(SECRET))],
    ['encoded three times', strict(strict(strict(SECRET)))],
    ['in small hex digits', strict(SECRET).toLowerCase()],
    ['in a form', strict(SECRET).replaceAll('%20', '+')],
    ['in JSON', quoted(SECRET)],
    ['in JSON in JSON', quoted(quoted(SECRET))],
    ['in JSON in JSON in JSON in JSON', quoted(quoted(quoted(quoted(SECRET))))],
    ['in JSON escapes', escaped(SECRET)],
    ['in JSON escapes in JSON', quoted(escaped(SECRET))],
    ['in escapes in braces', SECRET.replace(/./gu, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`)],
    ['in JavaScript', SECRET.replace(/./g, (char) => `\\x${char.charCodeAt(0).toString(16)}`)],
    ['with backslashes', SECRET.replace(/\W/g, '\\$&')],
    ['in HTML', SECRET.replaceAll('"', '&quot;').replaceAll("'", '&#39;').replaceAll('@', '&commat;')],
    ['in entities', entities(SECRET)],
    ['in hexadecimal entities', SECRET.replace(/./gu, (char) => `&#x${char.codePointAt(0)?.toString(16)};`)],
    ['in entities in a URL', strict(entities(SECRET))],
    ['in base64', base64(SECRET)],
    ['in base64url', Buffer.from(SECRET).toString('base64url')],
    ['in base64 in a URL', strict(base64(SECRET)).replace('%3D', '')],
    ['in hex', hex(SECRET)],
    ['in capital hex', hex(SECRET).toUpperCase()],
    ['in capitals', SECRET.toUpperCase()],
    ['in capitals in a URL', strict(SECRET.toUpperCase())],
  ])('hides a secret %s', (_, spelling) => {
    expect(redactor(SECRET)(`before ${spelling} after`)).toBe('before [redacted] after');
  });

  it.each(['密码-пароль-🔑', 'pässwörd ñ', 'ÀÉÎÕÜ'])('hides more than ASCII: %s', (secret) => {
    for (const spelling of [secret, strict(secret), strict(strict(secret)), escaped(secret), entities(secret), hex(secret)])
      expect(redactor(secret)(`(${spelling})`)).toBe('([redacted])');
  });

  it.each([0, 1, 2, 3, 4])('hides a secret in the middle of a text in base64, %i bytes from its start', (offset) => {
    const shown = redactor(SECRET)(base64(`${'user:'.slice(0, offset)}${SECRET}, and more`));
    expect(shown).toContain('[redacted]');
    const decoded = shown.split('[redacted]').map((part) => Buffer.from(part, 'base64').toString('latin1'));
    expect(decoded.join()).not.toMatch(/p@s|ss |rd!|\(~\)/);
  });

  it('hides secrets that overlap, repeat, and contain each other', () => {
    expect(redactor('aaaa')('aaaaa b')).toBe('[redacted] b');
    expect(redactor('abcdef', 'defghi')('abcdefghi')).toBe('[redacted]');
    expect(redactor('password', 'password1')('password1 password')).toBe('[redacted] [redacted]');
  });

  it('keeps what is no secret', () => {
    expect(redactor('', 'other')('The user exists: alice, 100%, a&b, C:\\x, 1+1.')).toBe(
      'The user exists: alice, 100%, a&b, C:\\x, 1+1.',
    );
    expect(redactor()('text')).toBe('text');
  });

  it('finds a short secret as it is only', () => {
    expect(redactor('abc')('abc ABC %61bc YWJj')).toBe('[redacted] ABC %61bc YWJj');
  });
});

describe('a request that is quoted', () => {
  it('is cut', () => {
    expect(withoutRequest('not matched. server string to sign is:GET&%2F&AccessKeyId%3Dabc')).toBe(
      'not matched. server string to sign [redacted]',
    );
    expect(withoutRequest('server StringToSign is [ACS3-HMAC-SHA256\nabc]')).toBe('server StringToSign [redacted]');
  });

  it('loses its URLs and its parts', () => {
    const url = 'https://hpc.api.shanhe.com/api/user?access_key_id=AKIDX&signature=abc%253D';
    expect(withoutRequest(`GET ${url} refused`)).toBe('GET [redacted] refused');
    expect(withoutRequest('Signature=abc, access_key_id=AKIDX&x')).toBe('[redacted] [redacted]');
  });
});

/** Ways to write one character; each may be written once more. */
const WAYS: readonly ((char: string) => string)[] = [
  (char) => char,
  (char) => Buffer.from(char).toString('hex').toUpperCase().replace(/../g, '%$&'),
  (char) => Buffer.from(char).toString('hex').replace(/../g, '%$&'),
  (char) => Buffer.from(char).toString('hex').replace(/../g, '%25$&'),
  (char) => `&#${char.codePointAt(0)};`,
  (char) => `&#x${char.codePointAt(0)?.toString(16)};`,
  (char) => `&#X0000${char.codePointAt(0)?.toString(16).toUpperCase()};`,
  (char) => escaped(char),
  (char) => escaped(char).replaceAll('\\', '\\\\\\'),
  (char) => (char.charCodeAt(0) < 0x80 ? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}` : char),
  (char) => (/[\w]/.test(char) ? char : `\\${char}`),
  (char) => (/[a-zA-Z]/.test(char) ? char.toUpperCase() : char),
  (char) => (char === ' ' ? '+' : char),
];

const spelt = fc
  .string({
    unit: fc.oneof(
      { weight: 9, arbitrary: fc.string({ minLength: 1, maxLength: 1 }) },
      { weight: 1, arbitrary: fc.constantFrom('密', 'é', '🔑', 'Ж') },
    ),
    minLength: 8,
    maxLength: 40,
  })
  .chain((secret) => {
    const chars = [...secret];
    const ways = fc.array(fc.constantFrom(...WAYS), { minLength: chars.length, maxLength: chars.length });
    return fc.tuple(
      fc.constant(secret),
      ways.map((chosen) => chars.map((char, at) => chosen[at]?.(char) ?? char).join('')),
      fc.constantFrom<(text: string) => string>(
        (text) => text,
        quoted,
        encodeURIComponent,
        strict,
        (text) => text.toUpperCase(),
      ),
    );
  });

describe('a secret that is written in any mix of ways', () => {
  // Where what is before ends in half of an escape, it is another text.
  const word = fc.stringMatching(/^[a-z .,:()]{0,20}[.,:(]$/);

  it('is hidden as a whole', () => {
    fc.assert(
      fc.property(spelt, word, word, ([secret, spelling, around], before, after) => {
        // A secret that is all backslashes, or ends in half of an escape, is found where it stands alone.
        fc.pre(secret.isWellFormed() && !/^[\\\s+]*$/.test(secret) && !/[%&\\][^%&\\]{0,8}$/.test(secret));
        const shown = redactor(secret)(`${before}${around(spelling)}${after}`);
        expect(shown).toBe(`${before}[redacted]${after}`);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is hidden in base64 and hex wherever it begins', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 8, maxLength: 40 }),
        fc.string({ maxLength: 9 }),
        fc.string({ maxLength: 9 }),
        (secret, a, b) => {
          const redact = redactor(secret);
          for (const encoding of ['base64', 'base64url', 'hex'] as const)
            expect(redact(Buffer.from(a + secret + b).toString(encoding))).toContain('[redacted]');
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('the time that it takes', () => {
  /** As much as is read of a text. Squared steps would take many seconds. */
  const LENGTH = 65_536;
  const ENOUGH_MS = 2_000;

  it.each([
    ['backslashes', '\\'],
    ['percents', '%25'],
    ['ampersands', '&#'],
    ['bytes', '%e4%b8'],
    ['the beginning of the secret', 'p%40ss'],
  ])('is short for the longest text, whatever is in it: %s', (_, piece) => {
    const redact = redactor(SECRET, '\\'.repeat(30), 'a'.repeat(40));
    const started = performance.now();
    redact(piece.repeat(LENGTH / piece.length));
    expect(performance.now() - started).toBeLessThan(ENOUGH_MS);
  });
});
