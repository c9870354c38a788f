/** Secrets that are found wherever they turn up: each is made once, and known to the search from then on. */
import { randomInt } from 'node:crypto';
import { createSearch, type Search } from './search.js';
import { needlesOf, needlesOfBytes } from './spellings.js';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

export const randomText = (length: number): string => Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)]).join('');

export interface Canaries {
  readonly search: Search;
  /** Of every secret, by name. */
  readonly known: ReadonlyMap<string, string>;
  /** @returns the same */
  watch(name: string, secret: string): string;
  watchBytes(name: string, bytes: Buffer): Buffer;
  /** A fresh password that the vendor takes, with characters that each spelling writes in its own way. */
  password(vendor: 'ehpc' | 'shanhe', use: string): string;
}

export const createCanaries = (): Canaries => {
  const search = createSearch();
  const known = new Map<string, string>();
  const watch: Canaries['watch'] = (name, secret) => {
    known.set(name, secret);
    search.add(name, needlesOf(secret));
    return secret;
  };
  return {
    search,
    known,
    watch,
    watchBytes: (name, bytes) => {
      search.add(name, needlesOfBytes(bytes));
      return bytes;
    },
    password: (vendor, use) => {
      const [one, two, three] = vendor === 'ehpc' ? ['<&', "'+/%", '='] : ['&%', '#@', '!'];
      const text = `${randomText(5)}${one}${randomText(4)}${two}${randomText(4)}Aa7${three}${randomText(6)}`;
      return watch(`password ${known.size} (${vendor}, ${use})`, text);
    },
  };
};
