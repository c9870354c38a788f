/** What every answer has to be, whatever the request was. */
import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { closed } from '../support/closed.js';
import { answersIn, type Exchange, jsonOf, valuesOf, type WireAnswer } from '../support/wire.js';
import { operationAt } from './document.js';
import type { Sent } from './sending.js';

export interface Circumstances {
  readonly deadlineMs: number;
  /** Whether the vendors misbehave. */
  readonly isFaulty: boolean;
}

/** An answer that should not have been given. */
export class Wrong extends Error {
  override readonly name = 'Wrong';
}

const fail = (what: string): never => {
  throw new Wrong(what);
};

const ajv = new Ajv2020({ strict: false, meta: false, validateSchema: false });
(addFormats as unknown as (target: Ajv2020) => void)(ajv);
// Of requests.
for (const format of ['line', 'entity-tags', 'any-entity', 'idempotency-key']) ajv.addFormat(format, true);
ajv.addSchema(closed(readFileSync('dist/openapi.json', 'utf8')), 'document');

const compiled = new Map<string, ValidateFunction>();
const checkSchema = (pointer: string, value: unknown): void => {
  const encoded = pointer.split('/').map(encodeURIComponent).join('/');
  const validate = compiled.get(pointer) ?? ajv.compile({ $ref: `document#${encoded}` });
  compiled.set(pointer, validate);
  if (!validate(value)) fail(`breaks ${pointer}: ${JSON.stringify(validate.errors?.slice(0, 3))}`);
};

/** Of any request, before there is an operation: the parser, the path, the method, the host and the origin. */
const BEFORE_ROUTING: ReadonlySet<number> = new Set([400, 403, 404, 405, 408, 421, 431]);
/** Of any path: requests that do not arrive, or not as a whole. */
const NEVER_ARRIVED: ReadonlySet<number> = new Set([400, 408, 431]);
/** Pages, which no operation documents. */
const PAGES = /^\/(docs\/.*)?$/s;

const PROBLEM = '/components/schemas/Problem';
const MAX_REFUSAL_BYTES = 65_536;
/** The machine may be busy. */
const MARGIN_MS = 20_000;

/** They say what to do; everything else from 500 on is a fault of the gateway, or of a vendor. */
const EXPLAINED: ReadonlySet<unknown> = new Set(['not_supported', 'too_busy', 'still_running', 'backlog_full']);
const OF_VENDORS: ReadonlySet<unknown> = new Set([
  ...['vendor_unavailable', 'vendor_timeout', 'vendor_bad_response', 'cluster_agent_failed'],
  ...['vendor_credentials_rejected', 'vendor_permission_denied', 'vendor_account_problem', 'vendor_clock_skew'],
]);

/** Headers that a list may be split over. */
const REPEATABLE: ReadonlySet<string> = new Set(['vary']);

const checkHeaders = (answer: WireAnswer): void => {
  const names = answer.fields.map(([name]) => name.toLowerCase());
  const twice = names.find((name, at) => names.indexOf(name) < at && !REPEATABLE.has(name));
  if (twice !== undefined) fail(`has the header ${twice} twice`);
  if (names.includes('x-injected')) fail('has a header that the request put there');
  if (names.includes('x-powered-by')) fail('names its framework');
  if (!/^[A-Za-z0-9._:-]{1,128}$/.test(valuesOf(answer, 'x-request-id')[0] ?? '')) fail('has no X-Request-Id');
  for (const value of valuesOf(answer, 'retry-after')) {
    const seconds = /^[1-9]\d{0,3}$/.test(value) ? Number(value) : 0;
    if (seconds < 1 || seconds > 3_600) fail(`has Retry-After: ${value}`);
  }
};

/**
 * Other lanes change the lists of the same clusters while they are read: after a second try that is said, and nobody is at fault. Where
 * Shanhe fails to delete a user who is not there, a list at rest is what shows it.
 */
const isMoving = ({ code, detail }: ProblemBody): boolean => {
  const says = (text: string): boolean => typeof detail === 'string' && detail.includes(text);
  if (code === 'cluster_agent_failed') return says('whether this request deleted them is not known');
  return code === 'vendor_bad_response' && says('was incomplete');
};

interface ProblemBody {
  readonly detail?: unknown;
  readonly status?: unknown;
  readonly code?: unknown;
  readonly requestId?: unknown;
}

const checkProblem = (answer: WireAnswer, { isFaulty }: Circumstances): void => {
  const { status, body } = answer;
  const problem = jsonOf(answer) as ProblemBody | undefined;
  checkSchema(PROBLEM, problem);
  if (problem?.status !== status) fail(`says the status ${String(problem?.status)}`);
  if (problem?.requestId !== valuesOf(answer, 'x-request-id')[0]) fail('names two request ids');
  if (status < 500 && body.length > MAX_REFUSAL_BYTES) fail(`is a refusal of ${body.length} bytes`);
  if (status >= 500 && problem && isMoving(problem)) return;
  if (status >= 500 && !EXPLAINED.has(problem?.code) && !(isFaulty && OF_VENDORS.has(problem?.code)))
    fail(`is ${String(problem?.code)}`);
};

/** The path that the gateway looks at, not decoded. */
const pathOf = (target: string): string =>
  (target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').split(/[?#]/, 1)[0] ?? '') || '/';

const documentedFor = (method: string, path: string): ReadonlyMap<number, ReadonlyMap<string, string>> | undefined =>
  operationAt(method === 'HEAD' ? 'GET' : method, path)?.answers;

const isProblem = (type: string | undefined): boolean => type === 'application/problem+json';

const checkStatus = ({ method, target }: Sent, answer: WireAnswer): void => {
  const { status, body } = answer;
  const path = pathOf(target);
  const documented = documentedFor(method, path);
  const type = valuesOf(answer, 'content-type')[0]?.split(';')[0];
  const isHead = method === 'HEAD';
  if (!documented) {
    const isPage = (method === 'GET' || isHead) && PAGES.test(path) && [200, 302, 304, 503].includes(status);
    if (!isPage && !BEFORE_ROUTING.has(status)) fail('is given where nothing is documented');
    return;
  }
  const types = documented.get(status);
  if (!types) {
    if (!NEVER_ARRIVED.has(status)) fail('has a status that is not documented');
    return;
  }
  if (isHead) return;
  if (types.size === 0) {
    if (body.length > 0 && !(status >= 300 && status < 400)) fail('has a body, and none is documented');
    return;
  }
  const pointer = types.get(type ?? '');
  if (pointer === undefined) fail(`is ${type}, which is not documented`);
  else if (type?.endsWith('json')) checkSchema(pointer, jsonOf(answer));
};

const checkAnswer = (sent: Sent, answer: WireAnswer, circumstances: Circumstances): void => {
  const { status, body } = answer;
  checkHeaders(answer);
  checkStatus(sent, answer);
  const type = valuesOf(answer, 'content-type')[0]?.split(';')[0];
  if (status < 400) return;
  if (!isProblem(type)) fail(`is ${type}, not a problem`);
  if (sent.method !== 'HEAD') checkProblem(answer, circumstances);
  else if (body.length > 0) fail('has a body, of HEAD');
};

const shown = ({ status, fields, body }: WireAnswer): string =>
  `${status} ${JSON.stringify(fields)}\n${body.subarray(0, 2_000).toString('utf8')}`;

/** Requests of which the parser refuses the head may be answered with nothing but an end. */
const mayEndSilently = ({ isHalf, method }: Sent): boolean => isHalf || method === 'CONNECT';

/** Where the parser refuses a head, nobody knows whether it was HEAD: the answer has its body, and is the last one. */
const finalAnswers = ({ method }: Sent, bytes: Buffer): WireAnswer[] => {
  const isFinal = ({ status }: WireAnswer): boolean => status >= 200;
  try {
    return answersIn(bytes, [method]).filter(isFinal);
  } catch (error) {
    const answers = answersIn(bytes).filter(isFinal);
    if (method !== 'HEAD' || !NEVER_ARRIVED.has(answers[0]?.status ?? 0)) throw error;
    return answers.map((answer) => ({ ...answer, body: Buffer.alloc(0) }));
  }
};

/** @returns the answer. @throws Wrong, MalformedAnswer */
export const checkExchange = (
  sent: Sent,
  { bytes, ms, isReset, isSilent }: Exchange,
  circumstances: Circumstances,
): WireAnswer | undefined => {
  const answers = finalAnswers(sent, bytes);
  if (isSilent) fail('nobody ended the connection');
  if (ms > circumstances.deadlineMs + MARGIN_MS) fail(`the answer took ${ms} ms`);
  const [answer, ...others] = answers;
  if (!answer) {
    if (!mayEndSilently(sent) && !isReset) fail('there is no answer');
    return undefined;
  }
  try {
    // What is behind the body is no request.
    if (others.length > 0) fail(`${answers.length} answers to one request`);
    checkAnswer(sent, answer, circumstances);
  } catch (error) {
    throw new Wrong(`${(error as Error).message}\nanswer: ${answers.map(shown).join('\nand ')}`);
  }
  return answer;
};
