import { ECHO_VALUES, HEADER_FIELD } from './echo.js';
import { FAULT_KINDS, type Fault, type FaultKind, RETRY_AFTER_HEADERS, SHAPES } from './fault.js';
import { SPELLINGS } from './spelling.js';

const TEXTS = ['action', 'clusterId', 'username', 'code', 'message', 'retryAfter', 'field'];
const COUNTS = ['skip', 'delayMs', 'retryAfterSeconds', 'forMs', 'rows'];
const CHOICES: Record<string, readonly string[]> = {
  shape: SHAPES,
  retryAfterHeader: RETRY_AFTER_HEADERS,
  value: ECHO_VALUES,
  spelling: SPELLINGS,
};
const KNOWN = ['kind', 'times', 'status', ...Object.keys(CHOICES), ...TEXTS, ...COUNTS];

const NEEDS: Partial<Record<FaultKind, readonly (keyof Fault)[]>> = {
  delay: ['delayMs'],
  late_effect: ['delayMs'],
  job_slow: ['delayMs'],
  vendor_error: ['code'],
  error_after: ['code'],
  http_status: ['status'],
  short_page: ['rows'],
  hole_page: ['rows'],
  echo: ['field', 'value'],
};

const FIELD = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;
const HEADER = /^[A-Za-z][A-Za-z0-9-]{0,63}$/;
/** Without the right ones of these an answer cannot be read at all; other faults do that. */
const FRAMING = ['content-length', 'transfer-encoding', 'connection'];

const isField = (field: string): boolean => {
  if (!field.startsWith(HEADER_FIELD)) return FIELD.test(field) && field !== '__proto__';
  const name = field.slice(HEADER_FIELD.length);
  return HEADER.test(name) && !FRAMING.includes(name.toLowerCase());
};

const wrong = (message: string): never => {
  throw new TypeError(message);
};

const isCount = (value: unknown) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const isHeaderText = (text: unknown) => /^[\x20-\x7e]*$/.test(String(text));

const checkTypes = (fields: Readonly<Record<string, unknown>>) => {
  for (const key of TEXTS) if (key in fields && typeof fields[key] !== 'string') wrong(`"${key}" must be a string`);
  for (const key of COUNTS) if (key in fields && !isCount(fields[key])) wrong(`"${key}" must be a number of 0 or more`);
  for (const [key, values] of Object.entries(CHOICES))
    if (key in fields && !values.some((value) => value === fields[key])) wrong(`"${key}" must be one of ${values.join(', ')}`);
};

const checkValues = ({ times, status, rows, field, retryAfter = '' }: Readonly<Record<string, unknown>>) => {
  const endless = times === -1 || times === Number.POSITIVE_INFINITY;
  if (times !== undefined && !endless && !(Number.isInteger(times) && Number(times) >= 1))
    wrong('"times" must be 1 or more, or -1');
  if (status !== undefined && !(Number.isInteger(status) && Number(status) >= 200 && Number(status) <= 599))
    wrong('"status" must be an HTTP status from 200 to 599');
  if (rows !== undefined && !Number.isInteger(rows)) wrong('"rows" must be a whole number');
  if (field !== undefined && !isField(String(field)))
    wrong(`"field" must be the name of a member, or ${HEADER_FIELD} and the name of a header other than ${FRAMING.join(', ')}`);
  if (!isHeaderText(retryAfter)) wrong('"retryAfter" must be printable ASCII');
};

/** Narrows JSON or a caller's object to a fault that this vendor can show; the error says what to change. */
export const parseFault = (value: unknown, kinds: readonly FaultKind[], actions: readonly string[]): Fault => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong('a fault is a JSON object with a "kind"');
  const fields = Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined));
  for (const key of Object.keys(fields))
    if (!KNOWN.includes(key)) wrong(`unknown field "${key}"; a fault has ${KNOWN.join(', ')}`);
  const kind = FAULT_KINDS.find((known) => known === fields.kind);
  if (kind === undefined || !kinds.includes(kind)) return wrong(`"kind" must be one of ${kinds.join(', ')} for this vendor`);
  checkTypes(fields);
  checkValues(fields);
  const { action } = fields;
  if (action !== undefined && !actions.includes(action as string)) wrong(`"action" must be one of ${actions.join(', ')}`);
  const needed = NEEDS[kind]?.find((key) => fields[key] === undefined);
  if (needed !== undefined) wrong(`"${kind}" needs "${needed}"`);
  return { ...fields, kind };
};
