import { type CallFacts, FAULT_KINDS, type Fault, type FaultKind, SHAPES } from './types.js';

interface Waiting {
  readonly fault: Fault;
  skip: number;
  left: number;
}

export interface FaultQueue {
  add(fault: Fault): void;
  clear(): void;
  /** The first waiting fault that concerns this call and that it can show; uses it up by one. */
  take(call: CallFacts, canShow: (kind: FaultKind) => boolean): Fault | null;
  list(): Fault[];
}

const wrong = (message: string): never => {
  throw new TypeError(message);
};

const TEXTS = ['action', 'username', 'code', 'message'];
const COUNTS = ['skip', 'delayMs', 'retryAfterSeconds'];
const KNOWN = ['kind', 'times', 'status', 'shape', ...TEXTS, ...COUNTS];

const isCount = (value: unknown) => typeof value === 'number' && Number.isFinite(value) && value >= 0;

/** Narrows JSON or a caller's object to a fault that this vendor can show; the error says what to change. */
export const parseFault = (value: unknown, kinds: readonly FaultKind[]): Fault => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong('a fault is a JSON object with a "kind"');
  const fields = Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined));
  for (const key of Object.keys(fields))
    if (!KNOWN.includes(key)) wrong(`unknown field "${key}"; a fault has ${KNOWN.join(', ')}`);
  const kind = FAULT_KINDS.find((known) => known === fields.kind);
  if (kind === undefined || !kinds.includes(kind)) return wrong(`"kind" must be one of ${kinds.join(', ')} for this vendor`);
  for (const key of TEXTS) if (key in fields && typeof fields[key] !== 'string') wrong(`"${key}" must be a string`);
  for (const key of COUNTS) if (key in fields && !isCount(fields[key])) wrong(`"${key}" must be a number of 0 or more`);
  const { times, status, shape } = fields;
  const endless = times === -1 || times === Number.POSITIVE_INFINITY;
  if (times !== undefined && !endless && !(Number.isInteger(times) && Number(times) >= 1))
    wrong('"times" must be 1 or more, or -1');
  if (status !== undefined && !(Number.isInteger(status) && Number(status) >= 200 && Number(status) <= 599))
    wrong('"status" must be an HTTP status from 200 to 599');
  if (shape !== undefined && !SHAPES.some((known) => known === shape)) wrong(`"shape" must be one of ${SHAPES.join(', ')}`);
  if (kind === 'delay' && fields.delayMs === undefined) wrong('"delay" needs "delayMs"');
  if ((kind === 'vendor_error' || kind === 'error_after') && fields.code === undefined)
    wrong(`"${kind}" needs "code", a code of this vendor`);
  if (kind === 'http_status' && status === undefined) wrong('"http_status" needs "status"');
  return { ...fields, kind };
};

const concerns = (fault: Fault, call: CallFacts) =>
  (fault.action === undefined || fault.action === call.action) &&
  (fault.username === undefined || call.usernames.includes(fault.username));

export const createFaultQueue = (): FaultQueue => {
  const waiting: Waiting[] = [];
  return {
    add: (fault) => {
      const times = fault.times ?? 1;
      waiting.push({ fault, skip: fault.skip ?? 0, left: times === -1 ? Number.POSITIVE_INFINITY : times });
    },
    clear: () => {
      waiting.length = 0;
    },
    take: (call, canShow) => {
      for (const [index, entry] of waiting.entries()) {
        if (!concerns(entry.fault, call) || !canShow(entry.fault.kind)) continue;
        if (entry.skip > 0) {
          entry.skip -= 1;
          continue;
        }
        entry.left -= 1;
        if (entry.left <= 0) waiting.splice(index, 1);
        return entry.fault;
      }
      return null;
    },
    list: () => waiting.map(({ fault, skip, left }) => ({ ...fault, skip, times: Number.isFinite(left) ? left : -1 })),
  };
};
