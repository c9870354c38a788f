/** Items of a batch as lines of a CSV (RFC 4180), under a line with the names of their members. */
import { CsvError, parse } from 'csv-parse/sync';
import { invalidRequest } from './validation.js';

const COLUMNS: readonly string[] = ['op', 'username', 'password', 'role', 'directoryMode'];

const refuse = (message: string): never => {
  throw invalidRequest([{ pointer: '', message }]);
};

/** Columns are told by their places: where the line of names was forgotten, it is a line of passwords. */
const checkNames = (names: readonly string[]): string[] => {
  const wrong = names.findIndex((name, at) => !COLUMNS.includes(name) || names.indexOf(name) < at);
  if (wrong !== -1)
    refuse(
      `has no known name, or one that stood before, in column ${wrong + 1} of its first line; it may name ${COLUMNS.join(', ')}`,
    );
  return [...names];
};

/** The JSON body that says the same. @throws invalid_request, which never quotes a field */
export const readCsv = (text: string): unknown => {
  try {
    const rows: Record<string, string>[] = parse(text, { columns: checkNames, skip_empty_lines: true });
    const items = rows.map((row) => {
      const given = Object.entries(row).filter(([, field]) => field !== '');
      return { op: 'create', ...Object.fromEntries(given) };
    });
    return { items };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const { lines } = error as { lines?: number };
    return refuse(lines === undefined ? 'is not valid CSV' : `is not valid CSV in line ${lines}`);
  }
};
