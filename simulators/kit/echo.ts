/** A vendor that repeats secrets it has received, in any field of its answer. */
import type { Fault } from './fault.js';
import type { Outcome } from './outcome.js';
import { SPELL } from './spelling.js';
import type { CallFacts, Dialect, Reply } from './types.js';

export const ECHO_VALUES = ['password', 'accessKeyId', 'signature', 'securityToken'] as const;
export type EchoValue = (typeof ECHO_VALUES)[number];
export type Secrets = Readonly<Partial<Record<EchoValue, string>>>;

export const HEADER_FIELD = 'header:';

/** What a field is made of; the value takes the place of `%s`. */
const MARK = '%s';

/** The value replaces every member of that name, at any depth; an answer without one gets it at the top. */
export const withJsonField = (body: string, field: string, text: string): string => {
  let isThere = false;
  const replaced: unknown = JSON.parse(body, (key, value) => {
    if (key !== field) return value;
    isThere = true;
    return text;
  });
  const isObject = typeof replaced === 'object' && replaced !== null && !Array.isArray(replaced);
  return JSON.stringify(isThere || !isObject ? replaced : { ...replaced, [field]: text });
};

/** A header holds bytes, and no control characters. */
const headerText = (text: string): string =>
  Array.from(Buffer.from(text, 'utf8').toString('latin1'), (byte) => (byte < ' ' || byte === '\x7f' ? ' ' : byte)).join('');

export interface Echo<Call> {
  /** Keeps what the call brings: a later answer, of a job for example, may repeat it. */
  see(call: Call): void;
  canShow(fault: Fault): boolean;
  change(fault: Fault | null, outcome: Outcome): Outcome;
}

export const createEcho = <Call extends CallFacts>({ echo }: Dialect<Call>): Echo<Call> => {
  let seen: Secrets = {};

  const changed = (reply: Reply, { field = '', value, spelling = 'plain', message = MARK, status, code }: Fault): Reply => {
    const secret = value && seen[value];
    if (echo === undefined || secret === undefined) return reply;
    const text = message.replace(MARK, () => SPELL[spelling](secret));
    const whole = { ...reply, status: code === undefined ? (status ?? reply.status) : reply.status };
    if (!field.startsWith(HEADER_FIELD)) return reply.body === '' ? whole : echo.withField(whole, field, text);
    return { ...whole, headers: { ...reply.headers, [field.slice(HEADER_FIELD.length)]: headerText(text) } };
  };

  return {
    see: (call) => {
      seen = { ...seen, ...echo?.secretsOf(call) };
    },
    canShow: ({ kind, value }) => kind !== 'echo' || (value !== undefined && seen[value] !== undefined),
    change: (fault, outcome) =>
      fault?.kind === 'echo' && outcome.end === 'reply' ? { ...outcome, reply: changed(outcome.reply, fault) } : outcome,
  };
};
