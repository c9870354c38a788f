/** Items of a batch as lines of a CSV (RFC 4180, and as spreadsheets write it), under a line with the names of their members. */
import { CsvError, type Info, parse } from 'csv-parse/sync';
import { nearest } from '../../src/nearest.js';
import { refuse } from './validation.js';

const COLUMNS: readonly string[] = ['op', 'username', 'password', 'role', 'directoryMode'];
/** Of an export: what the vendor decides. They are left out. */
const EXPORTED: readonly string[] = ['group', 'uid', 'gid', 'createdAt'];

/** The longest first, since the first that fits ends a record. A file may have been written on several systems. */
const LINE_ENDS = ['\r\n', '\n', '\r'];
const [CR, LF] = [13, 10];
const DELIMITERS = [',', ';', '\t'] as const;
/** A line that some spreadsheets begin with. */
const SEPARATOR_LINE = /^sep=([,;\t])(?:\r\n|\n|\r)/i;

/** Of a file, empty lines included, and of one line: a batch needs far less, and parsing takes time for each. */
const MAX_LINES = 20_000;
const MAX_LINE = 8_192;

/** One more than a batch takes: what comes behind is refused with it. */
const ENOUGH = 1_001;

const MAX_NAME = 40;

/** A name as a message may show it. */
const quoted = (name: string): string => JSON.stringify(name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name);

const isColumn = (name: string): boolean => COLUMNS.includes(name) || EXPORTED.includes(name);

/** However it is written: the column that is most likely meant. */
const alike = (name: string): string | undefined => COLUMNS.find((column) => column.toLowerCase() === name.trim().toLowerCase());

/** Where the line of names was forgotten, it is a line of passwords: a name is shown only where it is like one that is known. */
const checkNames = (names: readonly string[], line: number): string[] => {
  const wrong = names.findIndex((name, at) => !isColumn(name) || names.indexOf(name) < at);
  const [name = ''] = names.slice(wrong);
  const expected = `the columns are ${COLUMNS.join(', ')}, each at most once`;
  if (names.every((each) => alike(each) === undefined))
    refuse(
      `has to begin with a line of names; ${expected}, with commas, semicolons or tabs between. Line ${line} names none of them`,
    );
  if (wrong !== -1 && isColumn(name)) refuse(`names the column ${name} twice in line ${line}; ${expected}`);
  const meant = alike(name) ?? nearest(name, COLUMNS);
  // What is like none of them may be anything.
  const shown = meant === undefined ? `${wrong + 1}` : quoted(name);
  const help = meant === undefined ? '' : ` (did you mean ${meant}?)`;
  if (wrong !== -1) refuse(`names a column ${shown} in line ${line}, which is not known${help}; ${expected}`);
  return [...names];
};

/** How far the parser came; where a quote was not closed, into the record with it. */
const bytesOf = (error: CsvError, text: string): number => {
  const bytes = 'bytes' in error ? Number(error.bytes) : 0;
  if (error.code !== 'CSV_QUOTE_NOT_CLOSED') return bytes;
  const emptyLines = /^[\r\n]*/.exec(Buffer.from(text).subarray(bytes).toString('latin1'))?.[0].length ?? 0;
  return bytes + emptyLines + 1;
};

/** By the parser's own codes; its messages quote the line. */
const REASONS: Readonly<Record<string, string>> = {
  CSV_RECORD_INCONSISTENT_COLUMNS: 'has more or fewer fields than names',
  CSV_QUOTE_NOT_CLOSED: 'has a quote that is not closed',
  CSV_INVALID_CLOSING_QUOTE: 'has something behind a closing quote',
  INVALID_OPENING_QUOTE: 'has a quote in the middle of a field',
};

const explain = ({ code }: CsvError, line: number): string =>
  `is not valid CSV: line ${line} ${REASONS[code] ?? 'cannot be read'}`;

/** @returns in which line the parser was after so many bytes; it counts a CRLF inside quotes twice itself. To be asked in order */
const createLineCounter = (text: string, skipped: number): ((bytes: number) => number) => {
  const content = Buffer.from(text);
  let line = 1 + skipped;
  let at = 0;
  return (bytes) => {
    // A record ends with its line end.
    for (; at < Math.min(bytes, content.length) - 1; at++) {
      const isCrLf = content[at] === CR && content[at + 1] === LF;
      if (content[at] === LF || (content[at] === CR && !isCrLf)) line++;
    }
    return line;
  };
};

/** What separates the names: the one that is there most often. */
const delimiterOf = (text: string): string => {
  const [names = ''] = text.trimStart().split(/[\r\n]/, 1);
  const count = (delimiter: string): number => names.split(delimiter).length;
  return DELIMITERS.reduce((most, delimiter) => (count(delimiter) > count(most) ? delimiter : most));
};

/** How many lines stand before the names. */
const emptyLinesOf = (text: string): number => /^[\r\n]*/.exec(text)?.[0].match(/\r\n|\n|\r/g)?.length ?? 0;

/** In one pass: a pattern would go back and forth over what a stranger has written. */
const checkLines = (text: string): void => {
  let [lines, filled, start] = [0, 0, 0];
  for (let at = 0; at <= text.length; at++) {
    const code = text.charCodeAt(at);
    if (code !== CR && code !== LF && at < text.length) continue;
    if (at - start > MAX_LINE) refuse(`has a line of more than ${MAX_LINE.toLocaleString('en')} characters`);
    if (at > start) filled++;
    start = at + 1;
    lines++;
  }
  // Both ends of a CRLF were counted, and the line of names.
  if (lines <= 2 * MAX_LINES) return;
  if (filled > ENOUGH) refuse('must have at most 1000 items', '/items');
  refuse(`has more than ${MAX_LINES.toLocaleString('en')} lines`);
};

interface Row {
  readonly record: Readonly<Record<string, string>>;
  readonly info: Info;
}

export interface CsvBody {
  /** The JSON body that says the same. */
  readonly body: { readonly items: readonly object[] };
  /** In which line of the file an item ends, counted from 1. */
  readonly lines: readonly number[];
}

/** @param hint says what may have joined the lines of a text that has one only @throws invalid_request, which never quotes a field */
export const readCsv = (given: string, hint = ''): CsvBody => {
  const [head = '', separator] = SEPARATOR_LINE.exec(given) ?? [];
  const text = given.slice(head.length);
  checkLines(text);
  const skipped = head === '' ? 0 : 1;
  if (text.trim() === '') refuse('is empty');
  if (!/[\r\n]./.test(text)) refuse(`has one line only${hint}`);
  const lineAfter = createLineCounter(text, skipped);
  try {
    const rows = parse(text, {
      columns: (names: string[]) => checkNames(names, 1 + skipped + emptyLinesOf(text)),
      delimiter: separator ?? delimiterOf(text),
      record_delimiter: LINE_ENDS,
      info: true,
      skip_empty_lines: true,
      skip_records_with_empty_values: true,
      to: ENOUGH,
    }) as unknown as readonly Row[];
    const items = rows.map(({ record }) => {
      const fields = Object.entries(record).filter(([name, field]) => field !== '' && !EXPORTED.includes(name));
      return { op: 'create', ...Object.fromEntries(fields) };
    });
    return { body: { items }, lines: rows.map(({ info }) => lineAfter(info.bytes)) };
  } catch (error) {
    if (error instanceof CsvError) refuse(explain(error, lineAfter(bytesOf(error, text))));
    throw error;
  }
};
