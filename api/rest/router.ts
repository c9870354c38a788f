/** The document becomes routes: its paths, its methods, its schemas, its operationIds. */
import express, { type Request, type RequestHandler, type Response, type Router } from 'express';
import { firstOf } from '../../src/deadline.js';
import { asGatewayError, GatewayError, type Report } from '../../src/errors.js';
import type { LoadedOperation } from '../../src/journal/records.js';
import type { RequestReference } from '../../src/journal/requests.js';
import { linkTo } from './base.js';
import { bodyParser, readBody } from './body.js';
import { callerCallOf, contextOf, type RequestContext } from './context.js';
import type { CheckedOperation } from './contract.js';
import { eitherOf } from './either.js';
import { readKey } from './idempotency-key.js';
import type { AnyHandler, AnyReply, Handlers, OperationId, PreferredSubmission } from './operations.js';
import { nearestPath } from './paths.js';
import { applying, readPrefer } from './prefer.js';
import { type Rendered, send } from './problem.js';
import { usernamesIn } from './refusals.js';
import { performOnce, type RepeatableDeps } from './repetition.js';
import type { Share, Shares } from './security/shares.js';
import { CSV, NDJSON } from './streams.js';

export interface RouterDeps extends RepeatableDeps {
  readonly handlers: Handlers;
  /** The answer to a write, ended or not. @throws why there is no success to report */
  replyTo(operation: LoadedOperation, submission: PreferredSubmission): AnyReply;
  readonly deadlineMs: number;
  /** What goes before the body of an operation is read. */
  guard(operation: CheckedOperation): RequestHandler;
  /** Of the processor, for reads. */
  readonly shares: Shares;
  readonly report: Report;
  /** Request headers that decide what is answered. */
  readonly vary: string;
}

const expressPath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1');

/** Path and query as they came; a request line may hold a whole URL, whose host is not to be trusted. */
const pathAndQuery = ({ path, originalUrl }: Request): string => {
  const query = originalUrl.indexOf('?');
  return query === -1 ? path : `${path}${originalUrl.slice(query)}`;
};

const render = ({ status, headers = {}, body, type, stream }: AnyReply): Rendered => {
  if (stream !== undefined)
    return { status, headers: { 'Content-Type': `${type}; charset=utf-8`, ...headers }, body: null, stream };
  if (body === undefined) return { status, headers, body: null };
  return {
    status,
    headers: { 'Content-Type': type ?? 'application/json; charset=utf-8', ...headers },
    body: type === undefined ? JSON.stringify(body) : String(body),
  };
};

/** The methods of all documented paths that a path fits: a user may be called `batch`. */
const methodsAt = (documented: readonly CheckedOperation[], path: string): string[] => {
  const fits = ({ path: template }: CheckedOperation): boolean =>
    new RegExp(`^${template.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}$`).test(path);
  const methods = documented.filter(fits).map(({ method }) => method.toUpperCase());
  return [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])];
};

const IDEMPOTENCY_KEY = 'Idempotency-Key';

/** A write names the header in the document. */
const isWrite = ({ parameters }: CheckedOperation): boolean => parameters.some(({ name }) => name === IDEMPOTENCY_KEY);

/** Others can wait long for an operation to end, and do no work meanwhile. */
const isReadingAtOnce = ({ method, parameters }: CheckedOperation): boolean =>
  method === 'get' && !parameters.some(({ name }) => name === 'Prefer');

const isReadingUsers = ({ method, tags }: CheckedOperation): boolean => method === 'get' && tags.includes('users');

const STREAMS: ReadonlySet<string | false> = new Set([NDJSON, CSV]);

/** A stream is as large as its list. */
const isStreamed = ({ operationId }: CheckedOperation, request: Request): boolean =>
  operationId === ('listUsers' satisfies OperationId) &&
  STREAMS.has(request.accepts(['application/json', ...STREAMS] as string[]));

const shareOf = (operation: CheckedOperation, context: RequestContext, query: unknown, request: Request): Share => ({
  caller: context.caller?.id ?? context.address,
  place: context.clusterId ?? operation.operationId,
  limit: isStreamed(operation, request) ? Number.POSITIVE_INFINITY : (query as { readonly limit?: number }).limit,
  signal: context.call.signal,
});

/** Checks a request against the document and performs it. */
const perform = async (
  deps: RouterDeps,
  operation: CheckedOperation,
  request: Request,
  response: Response,
): Promise<Rendered> => {
  const { handlers, idempotency, replyTo, deadlineMs, shares, vary, report } = deps;
  const call = callerCallOf(contextOf(response));
  if (isReadingUsers(operation)) response.set('Cache-Control', 'private, no-cache').vary(vary);
  operation.checkPath({ ...request.params });
  const query = operation.checkQuery(request.query);
  const headers = operation.checkHeaders(request.headers) as Readonly<Record<string, string>>;
  const body = readBody(operation, request);
  const url = pathAndQuery(request);
  const preference = readPrefer(headers['Prefer'], deadlineMs);
  const waitMs = preference.waitMs ?? (preference.respondAsync ? 0 : undefined);
  const patience = waitMs === undefined ? call.signal : firstOf([call.signal, AbortSignal.timeout(waitMs)]);
  const context = contextOf(response);
  context.usernames = usernamesIn(request.params, body);
  const onOperation = (): void => {
    context.hasOperation = true;
  };
  const submission: PreferredSubmission = { call, path: request.path, patience, preference, onOperation };

  const handle = handlers[operation.operationId as OperationId] as unknown as AnyHandler;
  const noteFailure = (failure: GatewayError): void => {
    context.error = failure;
    if (failure.code === 'internal_error') report(failure, context.requestId);
  };
  const accepts = (types: readonly string[]): string | undefined => request.accepts([...types]) || undefined;
  const answer = async (reference?: RequestReference): Promise<Rendered> => {
    const referred = { ...submission, ...(reference && { reference }) };
    const input = { params: request.params, query, headers, accepts, noteFailure, body, url, call, submission: referred };
    const rendered = render(await handle(input));
    // It has its place until it is out.
    if (rendered.stream) await send(response, rendered);
    return rendered;
  };
  const given = headers[IDEMPOTENCY_KEY];
  const ifNoneMatch = headers['If-None-Match'];
  const reference = idempotency.refer({
    ...(given !== undefined && { key: readKey(given) }),
    caller: call.caller.id,
    method: request.method,
    path: request.path,
    ifMatch: headers['If-Match'],
    content: { body, query, ...(ifNoneMatch !== undefined && { ifNoneMatch }) },
  });
  const repeatable = { submission, perform: answer, answerTo: (known: LoadedOperation) => render(replyTo(known, submission)) };
  // A dry run writes nothing: there is nothing to repeat.
  const isDry = eitherOf('dryRun', query, body);
  context.isDry = isDry;
  const answering = (): Promise<Rendered> => {
    if (isWrite(operation) && !isDry) return performOnce(deps, { ...repeatable, reference });
    return isReadingAtOnce(operation) || isDry ? shares(shareOf(operation, context, query, request), answer) : answer();
  };
  return answering().catch((thrown: unknown) => {
    if (asGatewayError(thrown).code === 'still_running') response.set(applying(preference));
    throw thrown;
  });
};

/**
 * One route per operation.
 * @throws TypeError when an operation lacks a handler or a handler its operation
 */
export const createRouter = (documented: readonly CheckedOperation[], deps: RouterDeps): Router => {
  const { handlers } = deps;
  const missing = documented
    .filter(({ operationId }) => !Object.hasOwn(handlers, operationId))
    .map(({ operationId }) => operationId);
  const unknown = Object.keys(handlers).filter((id) => !documented.some(({ operationId }) => operationId === id));
  if (missing.length > 0) throw new TypeError(`openapi.yaml has operations without a handler: ${missing.join(', ')}.`);
  if (unknown.length > 0) throw new TypeError(`There are handlers without an operation in openapi.yaml: ${unknown.join(', ')}.`);

  const router = express.Router({ strict: true, caseSensitive: true });
  for (const operation of documented) {
    const serve: RequestHandler = async (request, response) => {
      const rendered = await perform(deps, operation, request, response);
      if (!rendered.stream) await send(response, rendered);
    };
    router[operation.method](expressPath(operation.path), deps.guard(operation), bodyParser(operation), serve);
  }
  for (const path of new Set(documented.map((operation) => operation.path))) {
    router.all(expressPath(path), (request, response) => {
      const { method, path: given } = request;
      const allow = methodsAt(documented, given).join(', ');
      response.set('Allow', allow);
      const others = documented.filter((operation) => operation.method === method.toLowerCase());
      const meant = nearestPath(
        given,
        others.map((operation) => operation.path),
      );
      const help = meant === undefined ? '' : ` Did you mean ${method} ${linkTo(meant)}?`;
      throw new GatewayError('method_not_allowed', `${method} is not a method of this path; it has ${allow}.${help}`);
    });
  }
  return router;
};
