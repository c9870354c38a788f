/** Looks for many thousand texts at once in any number of bytes: a look at each byte, however many texts there are. */
import type { Needle } from './spellings.js';

/** Of the begin of a text, by which it is looked up. */
const HEAD = 8;
const FILTER_BITS = 22;
const GOLDEN = 0x9e3779b1;
const SILVER = 0x85ebca6b;
// In Jest's sandbox, a global costs more than the rest of a step.
const { imul } = Math;

const fold = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 65 && byte <= 90 ? byte + 32 : byte));

const folded = (text: string): Buffer => Buffer.from(text, 'latin1').map((byte) => fold[byte] as number) as Buffer;

const slotOf = (first: number, second: number): number => (imul(first, GOLDEN) ^ imul(second, SILVER)) >>> (32 - FILTER_BITS);
const keyOf = (first: number, second: number): string => `${first} ${second}`;

interface Entry {
  readonly name: string;
  readonly spelling: string;
  readonly bytes: Buffer;
}

export interface Found {
  readonly name: string;
  readonly spelling: string;
  readonly at: number;
  /** What is around it. */
  readonly excerpt: string;
}

export interface Search {
  /** @param name of the secret, for reports */
  add(name: string, needles: readonly Needle[]): void;
  /** Of each secret the first place in each spelling. */
  find(hay: Buffer | string): Found[];
  readonly size: number;
}

const EXCERPT = 60;

export const createSearch = (): Search => {
  const filter = new Uint8Array(2 ** FILTER_BITS);
  const entries = new Map<string, Entry[]>();
  let size = 0;

  const add: Search['add'] = (name, needles) => {
    for (const { spelling, text } of needles) {
      const bytes = folded(text);
      if (bytes.length < HEAD) throw new TypeError(`too short to be looked for: ${spelling} of ${name}`);
      const [first, second] = [bytes.readInt32BE(0), bytes.readInt32BE(4)];
      filter[slotOf(first, second)] = 1;
      const key = keyOf(first, second);
      entries.set(key, [...(entries.get(key) ?? []), { name, spelling, bytes }]);
      size++;
    }
  };

  const find: Search['find'] = (given) => {
    const hay = typeof given === 'string' ? Buffer.from(given) : given;
    const found = new Map<string, Found>();
    const small = hay.map((byte) => fold[byte] as number) as Buffer;
    let [first, second] = [0, 0];
    for (let at = 0; at < small.length; at++) {
      first = (first << 8) | (second >>> 24);
      second = (second << 8) | (small[at] as number);
      if (at < HEAD - 1 || filter[slotOf(first, second)] === 0) continue;
      const start = at - HEAD + 1;
      for (const { name, spelling, bytes } of entries.get(keyOf(first, second)) ?? []) {
        const key = `${name} ${spelling}`;
        if (found.has(key) || !small.subarray(start, start + bytes.length).equals(bytes)) continue;
        const excerpt = hay.subarray(Math.max(0, start - EXCERPT), start + bytes.length + EXCERPT).toString('latin1');
        found.set(key, { name, spelling, at: start, excerpt });
      }
    }
    return [...found.values()];
  };

  return {
    add,
    find,
    get size() {
      return size;
    },
  };
};
