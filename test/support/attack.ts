/**
 * What somebody can do who has all files of an LMDB store and its key: try every sealed text that is in any of them, free pages included, with
 * every value that may be its own key. Shares no code with the gateway.
 */
import { createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
/** Own keys are looked for at all these offsets. */
const STEP = 8;
/** A nonce, a tag, and a password of 8 characters at least; hashes are shorter. */
const SEALED = /[A-Za-z0-9_-]{48,}/g;
const PLACE = /item:op_[0-9a-f]{32}:\d+/g;
/** Where there are many keys or items, a text is only tried as that of items whose names come right before it. */
const MANY_KEYS = 100;
const MANY_ITEMS = 500;
const NEAR = 3;

export interface Loot {
  /** What was opened. */
  readonly opened: ReadonlySet<string>;
  /** Texts that may be sealed. */
  readonly texts: ReadonlySet<string>;
}

/** A copy of a folder, for later. */
export const copyFolder = (folder: string): string => {
  const copy = mkdtempSync(join(tmpdir(), 'gateway-copy-'));
  cpSync(folder, copy, { recursive: true });
  return copy;
};

const derive = (storeKey: Buffer): Buffer =>
  Buffer.from(hkdfSync('sha256', storeKey, Buffer.alloc(0), 'hpc-gateway passwords', KEY_BYTES));

/** HKDF-Expand (RFC 5869) of one block. */
const expand = (key: Buffer, info: Uint8Array): Buffer => createHmac('sha256', key).update(info).update('\x01').digest();

/** All values in a file that may be own keys. */
const valuesOf = (path: string): Buffer[] => {
  if (!existsSync(path)) return [];
  const bytes = readFileSync(path);
  const values: Buffer[] = [];
  for (let at = 0; at + KEY_BYTES <= bytes.length; at += STEP) {
    const value = bytes.subarray(at, at + KEY_BYTES);
    if (value.some((byte) => byte !== 0)) values.push(value);
  }
  return values;
};

const open = (sealed: string, place: string, key: Buffer): string | undefined => {
  const bytes = Buffer.from(sealed, 'base64url');
  const tagged = NONCE_BYTES + TAG_BYTES;
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES))
      .setAAD(Buffer.from(place))
      .setAuthTag(bytes.subarray(NONCE_BYTES, tagged));
    return Buffer.concat([decipher.update(bytes.subarray(tagged)), decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
};

/** @param others files with further values that may be own keys */
export const attack = (folder: string, storeKey: Buffer, others: readonly string[] = []): Loot => {
  const values = [join(folder, 'secrets'), ...others].flatMap(valuesOf);
  // The earlier way to derive the key had no own keys.
  const base = derive(storeKey);
  const keys = [base, ...values.map((value) => expand(base, value))];
  const opened = new Set<string>();
  const texts = new Set<string>();
  const tried = new Set<string>();
  const contents = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1'));
  const all = new Set(contents.flatMap((content) => content.match(PLACE) ?? []));
  const isMuch = keys.length > MANY_KEYS || all.size > MANY_ITEMS;
  for (const content of contents) {
    const places = [...content.matchAll(PLACE)];
    for (const { 0: sealed, index } of content.matchAll(SEALED)) {
      if (texts.has(sealed) && !isMuch) continue;
      texts.add(sealed);
      const after = places.findIndex((place) => place.index > index);
      const near = places.slice(0, after === -1 ? undefined : after).slice(-NEAR);
      for (const place of isMuch ? near.map(([text]) => text) : all) {
        if (tried.has(`${place} ${sealed}`)) continue;
        tried.add(`${place} ${sealed}`);
        for (const key of keys) {
          const text = open(sealed, place, key);
          if (text !== undefined) opened.add(text);
        }
      }
    }
  }
  return { opened, texts };
};
