/** Bounds of a JSON text, before it is parsed: parsing and checking take time for each value, and a body is written by a stranger. */
import { refuse } from './validation.js';

/** A batch of 1,000 items with all their members has about 12,000 values; nothing in the document is nested deeper than 4. */
const MAX_VALUES = 20_000;
const MAX_DEPTH = 16;

const MAX_ITEMS = 1_000;

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** Where the string ends that begins before this byte. */
const afterString = (json: Buffer, from: number): number => {
  for (let at = json.indexOf(QUOTE, from); at !== -1; at = json.indexOf(QUOTE, at + 1)) {
    let slashes = 0;
    while (at - slashes > from && json[at - slashes - 1] === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return at + 1;
  }
  return json.length;
};

/** @param json in UTF-8; whether it is JSON at all is for the parser to say @throws invalid_request */
export const checkShape = (json: Buffer): void => {
  let [depth, values, items] = [0, 0, 0];
  for (let at = 0; at < json.length; ) {
    const byte = json[at++] as number;
    if (byte === QUOTE) at = afterString(json, at);
    else if (byte === COMMA || byte === COLON) {
      values++;
      if (depth === 2) items++;
    } else if (OPENING.has(byte)) {
      values++;
      if (++depth > MAX_DEPTH) refuse(`is nested deeper than ${MAX_DEPTH} levels`);
    } else if (CLOSING.has(byte)) depth--;
    if (values > MAX_VALUES && items > MAX_ITEMS) refuse(`must have at most ${MAX_ITEMS} items`, '/items');
    if (values > MAX_VALUES) refuse(`has more than ${MAX_VALUES.toLocaleString('en')} values`);
  }
};
