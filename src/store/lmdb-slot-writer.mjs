/**
 * Changes of the file of own keys, in the writer's thread: new ones are synced before the transaction that refers to them, old ones are
 * overwritten after it. Each is one sync for a whole group of changes. See docs/design/secrets-at-rest.md.
 */
import { closeSync, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

/** How many slots the file grows by. */
const GROWTH = 256;
const SCANNED_AT_ONCE = 1_024;

/** On a disk that gets full, a part is written first. */
const writeAll = (fd, content, position) => {
  for (let at = 0; at < content.length; ) at += writeSync(fd, content, at, content.length - at, position + at);
};

/**
 * Opens the file, and erases all slots that no marker refers to.
 * @param markers the number of the slot of each record, by its key
 */
export const openSlots = ({ path, bytes, prefix }, markers) => {
  const fd = openSync(path, 'r+');
  const slotsOf = new Map(markers);
  /** Referred to, beyond the end of the file too: a number is not used twice. */
  const taken = new Set(slotsOf.values());
  const free = [];
  const empty = Buffer.alloc(bytes);
  // The first one is the header. A tail of odd length is a slot.
  let count = Math.max(Math.ceil(fstatSync(fd).size / bytes), 1);

  const write = (slot, content) => {
    writeAll(fd, content, slot * bytes);
  };

  const release = (slots) => {
    for (const slot of slots) {
      taken.delete(slot);
      if (slot < count) free.push(slot);
    }
  };

  /** Those beyond the end have nothing to erase. */
  const erase = (slots) => {
    const present = slots.filter((slot) => slot < count);
    for (const slot of present) write(slot, empty);
    if (present.length > 0) fdatasyncSync(fd);
    release(slots);
  };

  const grow = () => {
    writeAll(fd, Buffer.alloc(bytes * GROWTH), count * bytes);
    for (let slot = count + GROWTH - 1; slot >= count; slot--) if (!taken.has(slot)) free.push(slot);
    count += GROWTH;
  };

  const allocate = () => {
    while (free.length === 0) grow();
    const slot = free.pop();
    taken.add(slot);
    return slot;
  };

  const recover = () => {
    const stale = [];
    const chunk = Buffer.alloc(bytes * SCANNED_AT_ONCE);
    for (let first = 0; first < count; first += SCANNED_AT_ONCE) {
      chunk.fill(0);
      readSync(fd, chunk, 0, chunk.length, first * bytes);
      for (let slot = Math.max(first, 1); slot < Math.min(first + SCANNED_AT_ONCE, count); slot++) {
        if (taken.has(slot)) continue;
        const at = (slot - first) * bytes;
        if (chunk.subarray(at, at + bytes).equals(empty)) free.push(slot);
        else stale.push(slot);
      }
    }
    erase(stale);
  };
  recover();

  /** The own keys of one group of changes. */
  const beginGroup = () => {
    const next = new Map();
    const written = [];
    const replaced = [];

    const replace = (key, slot) => {
      const before = next.has(key) ? next.get(key) : slotsOf.get(key);
      if (before !== undefined) replaced.push(before);
      next.set(key, slot);
    };

    const placeOne = ([key, content]) => {
      if (!key.startsWith(prefix)) return [key, content];
      if (content === null) {
        replace(key, undefined);
        return [key, null];
      }
      const slot = allocate();
      written.push(slot);
      write(slot, content);
      replace(key, slot);
      return [key, JSON.stringify({ slot })];
    };

    return {
      /** Writes them. @returns the changes with markers in their place */
      place: (changes) => {
        const placed = changes.map((change) => ({ ...change, put: change.put.map(placeOne) }));
        if (written.length > 0) fdatasyncSync(fd);
        return placed;
      },
      /** Whether something is to be erased after the commit. */
      get isErasing() {
        return replaced.length > 0;
      },
      committed: () => {
        for (const [key, slot] of next) {
          if (slot === undefined) slotsOf.delete(key);
          else slotsOf.set(key, slot);
        }
        erase(replaced);
      },
      failed: () => erase(written),
    };
  };

  return { beginGroup, close: () => closeSync(fd) };
};
