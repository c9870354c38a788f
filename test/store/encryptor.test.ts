import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { GatewayError } from '../../src/errors.js';
import { Secret } from '../../src/secret.js';
import { createEncryptor, type Encryptor } from '../../src/store/encryptor.js';

const encryptor = createEncryptor(Buffer.alloc(32, 1));
const other = createEncryptor(Buffer.alloc(32, 2));

const failureOf = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};

const expectClosed = (opener: Encryptor, sealed: string, place: string, text: string, ownKey: string): void => {
  const failure = failureOf(() => opener.open(sealed, place, ownKey));
  expect(failure).toBeInstanceOf(GatewayError);
  expect(failure).toMatchObject({ code: 'internal_error', effect: 'none' });
  expect((failure as GatewayError).message).not.toContain(text);
  if (sealed !== '') expect((failure as GatewayError).message).not.toContain(sealed);
};

describe('what is sealed', () => {
  it.each([
    ['a password', 'Correct-Horse-1'],
    ['nothing', ''],
    ['more than ASCII', 'pässwörd 密码 🔑 \u0000 e\u0301'],
    ['a long text', 'x'.repeat(10_000)],
    ['what looks like sealed', createEncryptor(randomBytes(32)).seal(new Secret('a'), 'b').sealed],
  ])('opens again: %s', (_, text) => {
    const { sealed, ownKey } = encryptor.seal(new Secret(text), 'item:1:0');
    expect(encryptor.open(sealed, 'item:1:0', ownKey).unwrap()).toBe(text);
    // A process that comes later has the same key.
    expect(createEncryptor(Buffer.alloc(32, 1)).open(sealed, 'item:1:0', ownKey).unwrap()).toBe(text);
  });

  it('opens at its own place only', () => {
    const { sealed, ownKey } = encryptor.seal(new Secret('Correct-Horse-1'), 'item:1:0');
    for (const place of ['item:1:1', 'item:2:0', '', 'item:1:0 ', 'ITEM:1:0'])
      expectClosed(encryptor, sealed, place, 'Correct-Horse-1', ownKey);
  });

  it('opens with both its own key and that of the store only', () => {
    const { sealed, ownKey } = encryptor.seal(new Secret('Correct-Horse-1'), 'item:1:0');
    expectClosed(other, sealed, 'item:1:0', 'Correct-Horse-1', ownKey);
    const another = encryptor.seal(new Secret('Correct-Horse-1'), 'item:1:0').ownKey;
    for (const wrong of ['', another, ownKey.slice(1), Buffer.alloc(32).toString('base64url')])
      expectClosed(encryptor, sealed, 'item:1:0', 'Correct-Horse-1', wrong);
  });

  it('has a key of 32 bytes that no other text has', () => {
    const keys = Array.from({ length: 100 }, () => encryptor.seal(new Secret('the same'), 'item:1:0').ownKey);
    expect(new Set(keys).size).toBe(100);
    for (const key of keys) expect(Buffer.from(key, 'base64url')).toHaveLength(32);
  });

  it('does not open when any byte of it is another', () => {
    const { sealed: text, ownKey } = encryptor.seal(new Secret('Correct-Horse-1'), 'item:1:0');
    const sealed = Buffer.from(text, 'base64url');
    for (let at = 0; at < sealed.length; at++) {
      for (const bit of [0x01, 0x80]) {
        const flipped = Buffer.from(sealed);
        flipped[at] = (flipped[at] as number) ^ bit;
        expectClosed(encryptor, flipped.toString('base64url'), 'item:1:0', 'Correct-Horse-1', ownKey);
      }
    }
  });

  it('does not open when something is missing or too much', () => {
    const { sealed: text, ownKey } = encryptor.seal(new Secret('Correct-Horse-1'), 'item:1:0');
    const sealed = Buffer.from(text, 'base64url');
    for (let length = 0; length < sealed.length; length++)
      expectClosed(encryptor, sealed.subarray(0, length).toString('base64url'), 'item:1:0', 'Correct-Horse-1', ownKey);
    const longer = Buffer.concat([sealed, Buffer.alloc(1)]).toString('base64url');
    expectClosed(encryptor, longer, 'item:1:0', 'Correct-Horse-1', ownKey);
    expectClosed(encryptor, '***', 'item:1:0', 'Correct-Horse-1', ownKey);
  });

  it('is another each time, and does not contain the text', () => {
    const all = Array.from({ length: 100 }, () => encryptor.seal(new Secret('Correct-Horse-1'), 'item:1:0').sealed);
    expect(new Set(all).size).toBe(100);
    // Nor does any nonce come twice.
    expect(new Set(all.map((sealed) => sealed.slice(0, 16))).size).toBe(100);
    for (const sealed of all) {
      expect(sealed).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(sealed).not.toContain('Correct-Horse-1');
      for (const encoding of ['utf8', 'latin1'] as const)
        expect(Buffer.from(sealed, 'base64url').toString(encoding)).not.toContain('Horse');
    }
  });
});

describe('a fingerprint', () => {
  it('is the same for the same text, and another for another', () => {
    expect(encryptor.fingerprint('a')).toBe(encryptor.fingerprint('a'));
    expect(createEncryptor(Buffer.alloc(32, 1)).fingerprint('a')).toBe(encryptor.fingerprint('a'));
    const texts = ['', 'a', 'A', 'a ', 'é', 'e\u0301', '密码'];
    expect(new Set(texts.map(encryptor.fingerprint)).size).toBe(texts.length);
  });

  it('is another with another key', () => {
    expect(other.fingerprint('a')).not.toBe(encryptor.fingerprint('a'));
  });

  it('does not contain the text', () => {
    const fingerprint = encryptor.fingerprint('Correct-Horse-1');
    expect(fingerprint).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(Buffer.from(fingerprint, 'base64url').toString('latin1')).not.toContain('Horse');
  });
});
