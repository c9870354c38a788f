/** Items of a batch as lines of a CSV (RFC 4180), under a line with the names of their members. */
import { CsvError, parse } from 'csv-parse/sync';
import { invalidRequest } from './validation.js';

const COLUMNS: readonly string[] = ['op', 'username', 'password', 'role', 'directoryMode'];

const refuse = (message: string): never => {
  throw invalidRequest([{ pointer: '', message }]);
};

/** One more than a batch takes: what comes behind is refused with it. */
const ENOUGH = 1_001;

/** Columns are told by their places: where the line of names was forgotten, it is a line of passwords. */
const checkNames = (names: readonly string[]): string[] => {
  const wrong = names.findIndex((name, at) => !COLUMNS.includes(name) || names.indexOf(name) < at);
  if (wrong !== -1)
    refuse(
      `has to begin with a line of names out of ${COLUMNS.join(', ')}, each once and spelt so, with commas between; column ${wrong + 1} is none`,
    );
  return [...names];
};

/** By the parser's own codes; its messages quote the line. */
const REASONS: Readonly<Record<string, string>> = {
  CSV_RECORD_INCONSISTENT_COLUMNS: 'has more or fewer fields than names',
  CSV_QUOTE_NOT_CLOSED: 'has a quote that is not closed',
  CSV_INVALID_CLOSING_QUOTE: 'has something behind a closing quote',
  INVALID_OPENING_QUOTE: 'has a quote in the middle of a field',
};

const explain = (error: CsvError): string => {
  const { code, lines } = error as { readonly code: string; readonly lines?: number };
  return `is not valid CSV: line ${lines ?? 1} ${REASONS[code] ?? 'cannot be read'}`;
};

/** The JSON body that says the same. @throws invalid_request, which never quotes a field */
export const readCsv = (text: string): unknown => {
  if (!/[\r\n]./.test(text)) refuse('has one line only; curl keeps the lines of a file with --data-binary, not with -d');
  try {
    const options = { columns: checkNames, skip_empty_lines: true, skip_records_with_empty_values: true, to: ENOUGH };
    const rows: Record<string, string>[] = parse(text, options);
    const items = rows.map((row) => {
      const given = Object.entries(row).filter(([, field]) => field !== '');
      return { op: 'create', ...Object.fromEntries(given) };
    });
    return { items };
  } catch (error) {
    if (error instanceof CsvError) refuse(explain(error));
    throw error;
  }
};
