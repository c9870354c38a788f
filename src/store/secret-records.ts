/**
 * Records that have to be gone when they are removed: own keys of sealed texts. Each kind of store keeps them where they can be destroyed, and
 * remembers them nowhere else. See docs/design/secrets-at-rest.md.
 */
import type { Value } from './store.js';

/** What their keys begin with. */
export const SECRETS = 'secret:';
export const SECRET_BYTES = 32;

export interface SecretRecord {
  /** `SECRET_BYTES` bytes in base64url. */
  readonly bytes: string;
}

export const isSecret = (key: string): boolean => key.startsWith(SECRETS);

export const toSecretText = (bytes: Uint8Array): string =>
  JSON.stringify({ bytes: Buffer.from(bytes).toString('base64url') } satisfies SecretRecord);

/** @param text of a record that `requireSecret` took */
export const bytesOf = (text: string): Buffer => Buffer.from((JSON.parse(text) as SecretRecord).bytes, 'base64url');

/** Kept in slots of a fixed size, so nothing else can be put there. @throws TypeError, which shows nothing of the value */
export const requireSecret = (value: Value): void => {
  const { bytes } = value as Partial<SecretRecord>;
  const isWhole = typeof bytes === 'string' && Buffer.from(bytes, 'base64url').length === SECRET_BYTES;
  if (!isWhole || JSON.stringify(value) !== toSecretText(Buffer.from(bytes, 'base64url')))
    throw new TypeError(`a record below ${SECRETS} has the member bytes, ${SECRET_BYTES} bytes in base64url, and nothing else`);
};
