/**
 * Texts without their encodings: what is percent-encoded, an HTML entity, an escape of JSON or JavaScript, or a mix of these, any number of times,
 * becomes the characters that it means, in one pass. Only for searching: it decodes too much rather than too little.
 */

/** A text to search in, and where its characters (UTF-16 units) come from in the source. */
export interface Canonical {
  readonly text: string;
  /** Where the source of a character begins and ends. */
  startOf(index: number): number;
  endOf(index: number): number;
}

const NAMED: ReadonlyMap<string, string> = new Map(
  Object.entries({
    amp: '&',
    apos: "'",
    ast: '*',
    bsol: '\\',
    colon: ':',
    comma: ',',
    commat: '@',
    dollar: '$',
    equals: '=',
    excl: '!',
    grave: '`',
    gt: '>',
    hat: '^',
    lbrace: '{',
    lbrack: '[',
    lcub: '{',
    lowbar: '_',
    lpar: '(',
    lsqb: '[',
    lt: '<',
    nbsp: ' ',
    newline: '\n',
    num: '#',
    percnt: '%',
    period: '.',
    plus: '+',
    quest: '?',
    quot: '"',
    rbrace: '}',
    rbrack: ']',
    rcub: '}',
    rpar: ')',
    rsqb: ']',
    semi: ';',
    sol: '/',
    tab: '\t',
    tilde: '~',
    verbar: '|',
    vert: '|',
  }),
);

const codeOf = (char: string): number => char.charCodeAt(0);
const [PERCENT, BACKSLASH, SEMICOLON, AMPERSAND, BRACE, PLUS] = [...'%\\;&}+'].map(codeOf);
/** Bytes of UTF-8 that wait for the others of their character. */
const BYTE = 0x200000;
const REPLACEMENT = 0xfffd;
/** Of an entity, or of an escape in braces, with what is around its name. */
const MAX_ESCAPE = 24;

const hexOf = (code = 0): number => {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
};

const isCodePoint = (code: number): boolean => code >= 0 && code <= 0x10ffff;

/** The same character for upper and lower case, where that keeps its length. */
const fold = (char: string): string => {
  const folded = char.toUpperCase().toLowerCase();
  return folded.length === char.length ? folded : char;
};

/** ASCII, folded. In a form, a plus is a blank. */
const ASCII = Array.from({ length: 0x80 }, (_, code) => (code === PLUS ? ' ' : fold(String.fromCharCode(code))));

const entityOf = (name: string): number | undefined => {
  const [, hex] = /^#[xX]([0-9a-fA-F]+)$/.exec(name) ?? [];
  const [, decimal] = /^#([0-9]+)$/.exec(name) ?? [];
  const code = hex === undefined ? Number(decimal ?? Number.NaN) : Number.parseInt(hex, 16);
  if (isCodePoint(code)) return code;
  return NAMED.get(name.toLowerCase())?.charCodeAt(0);
};

/** The characters so far; what ends in an escape is replaced by its character at once, and that may end another one. */
const createDecoder = () => {
  const codes: number[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  const at = (back: number): number | undefined => codes[codes.length - back];

  /** Replaces the last `count` characters by one. */
  const replace = (count: number, code: number): true => {
    const start = starts[starts.length - count] ?? 0;
    const end = ends[ends.length - 1] ?? 0;
    codes.length -= count;
    starts.length = codes.length;
    ends.length = codes.length;
    codes.push(code);
    starts.push(start);
    ends.push(end);
    return true;
  };

  /** The last `digits` characters as a number; -1 where one is no hex digit. */
  const hex = (digits: number): number => {
    let value = 0;
    for (let back = digits; back > 0; back--) {
      const digit = hexOf(at(back));
      if (digit < 0) return -1;
      value = value * 16 + digit;
    }
    return value;
  };

  const isLetter = (back: number, letter: string): boolean => ((at(back) ?? 0) | 32) === codeOf(letter);

  /** An escape with all backslashes before it: it may have been escaped itself. */
  const withBackslashes = (count: number): number => {
    let all = count;
    while (at(all + 1) === BACKSLASH) all++;
    return all;
  };

  const afterHex = (): boolean => {
    if (at(3) === PERCENT) {
      const byte = hex(2);
      if (byte >= 0) return replace(3, byte < 0x80 ? byte : BYTE + byte);
    }
    if (at(4) === BACKSLASH && isLetter(3, 'x') && hex(2) >= 0) return replace(withBackslashes(4), hex(2));
    if (at(6) === BACKSLASH && isLetter(5, 'u') && hex(4) >= 0) return replace(withBackslashes(6), hex(4));
    if (at(6) === PERCENT && isLetter(5, 'u') && hex(4) >= 0) return replace(6, hex(4));
    return false;
  };

  /** The text of the last characters, from the last `first` before them; undefined where there is none near. */
  const sinceLast = (first: number | undefined): string | undefined => {
    for (let back = 2; back <= MAX_ESCAPE; back++)
      if (at(back) === first)
        return String.fromCodePoint(...codes.slice(-back).map((code) => (isCodePoint(code) ? code : REPLACEMENT)));
    return undefined;
  };

  const afterSemicolon = (): boolean => {
    const text = sinceLast(AMPERSAND);
    const code = text && entityOf(text.slice(1, -1));
    return text && code !== undefined && code !== '' ? replace(text.length, code as number) : false;
  };

  const afterBrace = (): boolean => {
    const text = sinceLast(BACKSLASH);
    const [, digits] = /^\\[uU]\{([0-9a-fA-F]+)\}$/.exec(text ?? '') ?? [];
    const code = Number.parseInt(digits ?? '', 16);
    return text && isCodePoint(code) ? replace(withBackslashes(text.length), code) : false;
  };

  /** Whether the last bytes are a whole character of UTF-8 now. */
  const afterByte = (): boolean => {
    for (let back = 1; back <= 4; back++) {
      const byte = (at(back) ?? 0) - BYTE;
      if (byte < 0x80) return false;
      if (byte < 0xc0) continue;
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      if (length !== back) return false;
      const bytes = codes.slice(-length).map((code) => code - BYTE);
      const code = Buffer.from(bytes).toString('utf8').codePointAt(0) ?? REPLACEMENT;
      return code === REPLACEMENT ? false : replace(length, code);
    }
    return false;
  };

  const reduce = (): boolean => {
    const last = at(1) ?? 0;
    if (last >= BYTE) return afterByte();
    if (last === SEMICOLON) return afterSemicolon();
    if (last === BRACE) return afterBrace();
    return hexOf(last) >= 0 && afterHex();
  };

  return {
    push: (code: number, start: number, end: number): void => {
      codes.push(code);
      starts.push(start);
      ends.push(end);
      // Each turn takes at least one character away.
      while (reduce());
    },
    codes,
    starts,
    ends,
  };
};

/** What may begin an escape, or fold in another way than ASCII does. */
const DECODABLE = /[%&\\+\u0080-\uffff]/;

const decode = (source: string): Canonical => {
  const decoder = createDecoder();
  for (let at = 0; at < source.length; ) {
    const code = source.codePointAt(at) ?? 0;
    const end = at + (code > 0xffff ? 2 : 1);
    decoder.push(code, at, end);
    at = end;
  }
  const { codes, starts, ends } = decoder;
  const parts: string[] = [];
  /** By UTF-16 unit: which character it belongs to. */
  const owners: number[] = [];
  let escapedSince: number | undefined;
  for (const [index, code] of codes.entries()) {
    // However often it was escaped; the backslashes belong to the character after them.
    if (code === BACKSLASH) {
      escapedSince ??= starts[index];
      continue;
    }
    if (escapedSince !== undefined) starts[index] = escapedSince;
    escapedSince = undefined;
    const char = code < 0x80 ? (ASCII[code] as string) : fold(String.fromCodePoint(isCodePoint(code) ? code : REPLACEMENT));
    parts.push(char);
    for (let unit = 0; unit < char.length; unit++) owners.push(index);
  }
  return {
    text: parts.join(''),
    startOf: (index) => starts[owners[index] ?? 0] ?? 0,
    endOf: (index) => ends[owners[index] ?? 0] ?? 0,
  };
};

export const canonicalOf = (source: string): Canonical =>
  DECODABLE.test(source)
    ? decode(source)
    : { text: source.toLowerCase(), startOf: (index) => index, endOf: (index) => index + 1 };
