/**
 * What may not be kept in the clear: passwords are encrypted, each with a key of its own that can be destroyed; request bodies are known by a
 * keyed hash only.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { KEY_BYTES } from '../config/key.js';
import { GatewayError } from '../errors.js';
import { Secret } from '../secret.js';
import { SECRET_BYTES } from './secret-records.js';

/** An encrypted text, AES-256-GCM; nonce, tag and ciphertext in base64url. */
export type Sealed = string;

/** Random bytes in base64url, for one sealed text. They are kept apart from it, and destroyed when nobody needs it any more. */
export type OwnKey = string;

export interface Encryptor {
  /** @param place what the secret belongs to; it opens nowhere else */
  seal(secret: Secret, place: string): { readonly sealed: Sealed; readonly ownKey: OwnKey };
  /** @throws internal_error when it was sealed with another key, of the store or its own, or for another place */
  open(sealed: Sealed, place: string, ownKey: OwnKey): Secret;
  /** A hash that only holders of the key can compare with guesses. */
  fingerprint(text: string): string;
  /** Proves that a holder of the key wrote the text. */
  mac(text: string): string;
  /** Encrypts what a caller keeps, and gives back, but need not read. */
  conceal(text: string, place: string): Sealed;
  /** Undefined where it was not made here, for this place. */
  reveal(sealed: Sealed, place: string): string | undefined;
}

const NONCE_BYTES = 12;
const NONCES_TOGETHER = 128;
const TAG_BYTES = 16;

const derive = (secret: Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, '', `hpc-gateway ${purpose}`, KEY_BYTES));

/** The key of one text, of both keys: HKDF-Expand (RFC 5869, section 2.3) with its own key as the info. Thousands are needed in one turn. */
const combine = (sealing: Buffer, ownKey: OwnKey): Buffer =>
  createHmac('sha256', sealing).update(Buffer.from(ownKey, 'base64url')).update(Buffer.of(1)).digest();

/** Nonces of 96 random bits. Drawn together: each draw is a call of the operating system. */
const createNonces = (): (() => Buffer) => {
  let drawn = Buffer.alloc(0);
  return () => {
    if (drawn.length === 0) drawn = randomBytes(NONCE_BYTES * NONCES_TOGETHER);
    const nonce = drawn.subarray(0, NONCE_BYTES);
    drawn = drawn.subarray(NONCE_BYTES);
    return nonce;
  };
};

const nextNonce = createNonces();

/** Nonce, tag and ciphertext in base64url. */
const encrypt = (text: string, key: Buffer, place: string): Sealed => {
  const nonce = nextNonce();
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place));
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
};

/** @throws where the key or the place is another, or the text was changed */
const decrypt = (sealed: Sealed, key: Buffer, place: string): string => {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.toString('base64url') !== sealed) throw new Error('another spelling of a sealed text');
  const [nonce, tagged] = [bytes.subarray(0, NONCE_BYTES), NONCE_BYTES + TAG_BYTES];
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(place))
    .setAuthTag(bytes.subarray(NONCE_BYTES, tagged));
  return Buffer.concat([decipher.update(bytes.subarray(tagged)), decipher.final()]).toString('utf8');
};

/** @param key 32 bytes */
export const createEncryptor = (key: Buffer): Encryptor => {
  const sealing = derive(key, 'passwords');
  const hashing = derive(key, 'fingerprints');
  const proving = derive(key, 'audit');
  const concealing = derive(key, 'cursors');

  return {
    seal: (secret, place) => {
      const ownKey = randomBytes(SECRET_BYTES).toString('base64url');
      return { sealed: encrypt(secret.unwrap(), combine(sealing, ownKey), place), ownKey };
    },
    open: (sealed, place, ownKey) => {
      try {
        return new Secret(decrypt(sealed, combine(sealing, ownKey), place));
      } catch (cause) {
        throw new GatewayError(
          'internal_error',
          'The password that was kept cannot be opened; its key, or the key of the store, is another one.',
          { effect: 'none', cause },
        );
      }
    },
    fingerprint: (text) => createHmac('sha256', hashing).update(text).digest('base64url'),
    mac: (text) => createHmac('sha256', proving).update(text).digest('base64url'),
    conceal: (text, place) => encrypt(text, concealing, place),
    reveal: (sealed, place) => {
      try {
        return decrypt(sealed, concealing, place);
      } catch {
        return undefined;
      }
    },
  };
};
