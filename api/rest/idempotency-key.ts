/** The value of an `Idempotency-Key` that fits the document: a string of RFC 9651, whose quotes may be left out. */
export const readKey = (header: string): string =>
  header.startsWith('"') ? header.slice(1, -1).replace(/\\(["\\])/g, '$1') : header;
