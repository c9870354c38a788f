/** A request that a caller may make: checked against the document, performed, and its answer rendered. */
import type { Request, Response } from 'express';
import { firstOf } from '../../src/deadline.js';
import { asGatewayError, type GatewayError, type Report } from '../../src/errors.js';
import type { LoadedOperation } from '../../src/journal/records.js';
import type { RequestReference } from '../../src/journal/requests.js';
import { readBody } from './body.js';
import { callerCallOf, contextOf } from './context.js';
import type { CheckedOperation } from './contract.js';
import { eitherOf } from './either.js';
import { readKey } from './idempotency-key.js';
import type { AnyHandler, AnyReply, Handlers, OperationId, PreferredSubmission } from './operations.js';
import { AT_ONCE, applying, readPrefer } from './prefer.js';
import { type Rendered, send } from './problem.js';
import { usernamesIn } from './refusals.js';
import { performOnce, type RepeatableDeps } from './repetition.js';
import type { Shares } from './security/shares.js';
import { CSV, NDJSON } from './streams.js';

export interface PerformDeps extends RepeatableDeps {
  readonly handlers: Handlers;
  /** The answer to a write, ended or not. @throws why there is no success to report */
  replyTo(operation: LoadedOperation, submission: PreferredSubmission): AnyReply;
  readonly deadlineMs: number;
  /** Of the processor, for reads. */
  readonly shares: Shares;
  readonly report: Report;
  /** Request headers that decide what is answered. */
  readonly vary: string;
}

/** Answers a request of one operation. */
export type Perform = (request: Request, response: Response) => Promise<Rendered>;

/** Path and query as they came; a request line may hold a whole URL, whose host is not to be trusted. */
const pathAndQuery = ({ path, originalUrl }: Request): string => {
  const query = originalUrl.indexOf('?');
  return query === -1 ? path : `${path}${originalUrl.slice(query)}`;
};

const render = ({ status, headers = {}, body, json, type, stream }: AnyReply): Rendered => {
  if (stream !== undefined)
    return { status, headers: { 'Content-Type': `${type}; charset=utf-8`, ...headers }, body: null, stream };
  if (json !== undefined) return { status, headers, body: json };
  if (body === undefined) return { status, headers, body: null };
  return {
    status,
    headers: { 'Content-Type': type ?? 'application/json; charset=utf-8', ...headers },
    body: type === undefined || type.endsWith('json') ? JSON.stringify(body) : String(body),
  };
};

const IDEMPOTENCY_KEY = 'Idempotency-Key';
const STREAMED: OperationId = 'listUsers';
const START: OperationId = 'startOperation';
const STREAMS: ReadonlySet<string | false> = new Set([NDJSON, CSV]);

/** @param operation what its requests have in common is found out once */
export const createPerform = (deps: PerformDeps, operation: CheckedOperation): Perform => {
  const { handlers, idempotency, replyTo, deadlineMs, shares, vary, report } = deps;
  const { operationId, method, parameters, tags, checkPath, checkQuery, checkHeaders } = operation;
  const handle = handlers[operationId as OperationId] as unknown as AnyHandler;
  const hasHeader = (header: string): boolean => parameters.some(({ name }) => name === header);
  /** A write names the header in the document. */
  const isWrite = hasHeader(IDEMPOTENCY_KEY);
  /** Others can wait long for an operation to end, and do no work meanwhile. */
  const isReadingAtOnce = method === 'get' && !hasHeader('Prefer');
  const isReadingUsers = method === 'get' && tags.includes('users');
  const isStart = operationId === START;
  /** A stream is as large as its list. */
  const isStreamed = (request: Request): boolean =>
    operationId === STREAMED && STREAMS.has(request.accepts(['application/json', ...STREAMS] as string[]));

  return async (request, response) => {
    const context = contextOf(response);
    const { links, requestId } = context;
    const call = callerCallOf(context);
    if (isReadingUsers) response.set('Cache-Control', 'private, no-cache').vary(vary);
    checkPath({ ...request.params });
    const query = checkQuery(request.query);
    const headers = checkHeaders(request.headers) as Readonly<Record<string, string>>;
    const body = readBody(operation, request);
    const preference = isStart ? AT_ONCE : readPrefer(headers['Prefer'], deadlineMs);
    const waitMs = preference.waitMs ?? (preference.respondAsync ? 0 : undefined);
    context.usernames = usernamesIn(request.params, body);
    let patience: AbortSignal | undefined;
    const submission: PreferredSubmission = {
      call,
      links,
      path: request.path,
      get patience() {
        // One wait, however often it is asked for.
        patience ??= waitMs === undefined ? call.signal : firstOf([call.signal, AbortSignal.timeout(waitMs)]);
        return patience;
      },
      preference,
      onOperation: () => {
        context.hasOperation = true;
      },
    };
    const noteFailure = (failure: GatewayError): void => {
      context.error = failure;
      if (failure.code === 'internal_error') report(failure, requestId);
    };
    const accepts = (types: readonly string[]): string | undefined => request.accepts([...types]) || undefined;
    const url = pathAndQuery(request);
    const answer = async (submitted: PreferredSubmission = submission): Promise<Rendered> => {
      const { params } = request;
      const rendered = render(
        await handle({ params, query, headers, accepts, noteFailure, body, url, call, links, submission: submitted }),
      );
      // It has its place until it is out.
      if (rendered.stream) await send(response, rendered);
      return rendered;
    };

    const given = headers[IDEMPOTENCY_KEY];
    const key = given === undefined ? undefined : readKey(given);
    const answerOnce = (): Promise<Rendered> => {
      const ifNoneMatch = headers['If-None-Match'];
      const reference = idempotency.refer({
        key,
        caller: call.caller.id,
        method: request.method,
        path: request.path,
        ifMatch: headers['If-Match'],
        content: { body, query, ...(ifNoneMatch !== undefined && { ifNoneMatch }) },
      });
      const perform = (begun: RequestReference): Promise<Rendered> => answer({ ...submission, reference: begun });
      const answerTo = (known: LoadedOperation): Rendered => render(replyTo(known, submission));
      return performOnce(deps, { submission, perform, answerTo, reference });
    };
    // A dry run writes nothing: there is nothing to repeat.
    const isDry = eitherOf('dryRun', query, body);
    context.isDry = isDry;
    const answerInPlace = (): Promise<Rendered> =>
      shares(
        {
          caller: call.caller.id ?? context.address,
          place: context.clusterId ?? operationId,
          limit: isStreamed(request) ? Number.POSITIVE_INFINITY : (query as { readonly limit?: number }).limit,
          call,
        },
        answer,
      );
    try {
      if (isWrite && !isDry) return await answerOnce();
      return await (isReadingAtOnce || isDry ? answerInPlace() : answer());
    } catch (thrown) {
      if (asGatewayError(thrown).code === 'still_running') response.set(applying(preference));
      throw thrown;
    }
  };
};
