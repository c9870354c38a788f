/**
 * The file of own keys beside LMDB's, as the main thread sees it: its layout, and reading. The writer's thread changes it
 * (`lmdb-slot-writer.mjs`). LMDB itself keeps what was removed in free pages; a slot is overwritten in place.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { closeSync, constants, fchmodSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { bytesOf, SECRET_BYTES, SECRETS, toSecretText } from './secret-records.js';

/** The header has the size of a slot, so that each slot lies in one sector. */
const SLOT_BYTES = 64;
const NAME_BYTES = 24;
const CHECK_BYTES = SLOT_BYTES - NAME_BYTES - SECRET_BYTES;
const HEADER = Buffer.alloc(SLOT_BYTES);
HEADER.write('hpc-gateway secrets 1\n');

/** What the record of an own key is in LMDB. */
interface Marker {
  readonly slot: number;
}

/** What the writer's thread has to know. */
export interface SlotOptions {
  readonly path: string;
  readonly bytes: number;
  /** Of keys of records that are kept in slots. */
  readonly prefix: string;
}

export interface Slots {
  readonly options: SlotOptions;
  /** The content of a slot. @param text of the record */
  encode(key: string, text: string): Uint8Array;
  /** The text of the record; undefined where the slot is empty, or not this record's. */
  read(key: string, marker: string): string | undefined;
  close(): void;
}

const hash = (...parts: readonly (string | Uint8Array)[]): Buffer => {
  const whole = createHash('sha256');
  for (const part of parts) whole.update(part);
  return whole.digest();
};

const nameOf = (key: string): Buffer => hash(key).subarray(0, NAME_BYTES);
const checkOf = (name: Uint8Array, own: Uint8Array): Buffer => hash(name, own).subarray(0, CHECK_BYTES);

/** Makes a new file durable together with its name. */
const begin = (fd: number, folder: string): void => {
  writeSync(fd, HEADER, 0, SLOT_BYTES, 0);
  fsyncSync(fd);
  // Folders cannot be opened there.
  if (process.platform === 'win32') return;
  const parent = openSync(folder, 'r');
  try {
    fsyncSync(parent);
  } finally {
    closeSync(parent);
  }
};

/** A file that was cut within its header, or never got one, has no slots. @throws where the file is something else */
const requireHeader = (fd: number, path: string, folder: string): void => {
  const found = Buffer.alloc(SLOT_BYTES);
  readSync(fd, found, 0, SLOT_BYTES, 0);
  if (found.equals(HEADER)) return;
  const isNew = fstatSync(fd).size < SLOT_BYTES && found.every((byte, at) => byte === 0 || byte === HEADER[at]);
  if (!isNew) throw new Error(`${path} is not the gateway's file of secrets; move it to another place`);
  begin(fd, folder);
};

/** @throws an error of the file system, or one that says that the file is something else */
export const openSlots = (folder: string): Slots => {
  const path = join(folder, 'secrets');
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    fchmodSync(fd, 0o600);
    requireHeader(fd, path, folder);
  } catch (error) {
    closeSync(fd);
    throw error;
  }

  return {
    options: { path, bytes: SLOT_BYTES, prefix: SECRETS },

    encode: (key, text) => {
      const [name, own] = [nameOf(key), bytesOf(text)];
      return Buffer.concat([name, own, checkOf(name, own)]);
    },

    read: (key, marker) => {
      const { slot } = JSON.parse(marker) as Marker;
      const content = Buffer.alloc(SLOT_BYTES);
      readSync(fd, content, 0, SLOT_BYTES, slot * SLOT_BYTES);
      const name = content.subarray(0, NAME_BYTES);
      const own = content.subarray(NAME_BYTES, NAME_BYTES + SECRET_BYTES);
      const isWhole = timingSafeEqual(content.subarray(NAME_BYTES + SECRET_BYTES), checkOf(name, own));
      return isWhole && name.equals(nameOf(key)) ? toSecretText(own) : undefined;
    },

    close: () => closeSync(fd),
  };
};
