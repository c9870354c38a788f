/** The document becomes routes: its paths, its methods, its schemas, its operationIds. */
import express, { type Request, type RequestHandler, type Router } from 'express';
import { GatewayError } from '../../src/errors.js';
import { contextOf } from './context.js';
import type { CheckedOperation } from './contract.js';
import type { Handlers, OperationId } from './operations.js';
import { invalidRequest } from './validation.js';

const LARGEST_BODY = '1mb';

/** A handler and its answer without the types of one operation. */
type AnyHandler = (input: object) => Promise<AnyReply> | AnyReply;

interface AnyReply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly type?: string;
}

const expressPath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1');

const mediaType = (request: Request): { readonly type: string; readonly charset: string | undefined } => {
  const header = (request.get('content-type') ?? '').toLowerCase();
  return { type: header.split(';')[0]?.trim() ?? '', charset: /;\s*charset="?([^";\s]+)/.exec(header)?.[1] };
};

/** Path and query as they came; a request line may hold a whole URL, whose host is not to be trusted. */
const pathAndQuery = ({ path, originalUrl }: Request): string => {
  const query = originalUrl.indexOf('?');
  return query === -1 ? path : `${path}${originalUrl.slice(query)}`;
};

/** UTF-8 without errors, and JSON. The parsers' own messages quote the body, which may hold a password. */
const parseJson = (body: Buffer): unknown => {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw invalidRequest([{ pointer: '', message: 'is not valid UTF-8' }]);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw invalidRequest([{ pointer: '', message: 'is not valid JSON' }]);
  }
};

const unsupported = (request: Request, types: readonly string[], message: string): GatewayError => {
  request.res?.set('Accept', types.join(', '));
  return new GatewayError('unsupported_media_type', message);
};

const hasBody = ({ headers }: Request): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** For operations without a body: one that comes is refused before it is read. */
const refuseBody: RequestHandler = (request, _, next) => {
  if (hasBody(request)) throw invalidRequest([{ pointer: '', message: 'is not taken by this operation' }]);
  next();
};

/** ASCII is a part of it. */
const UTF_8 = /^(utf-?8|us-ascii)$/;

const readRaw = express.raw({ type: () => true, limit: LARGEST_BODY });

const readBody = ({ checkBody }: CheckedOperation, request: Request): unknown => {
  if (checkBody.size === 0) return undefined;
  const body: unknown = request.body;
  if (!Buffer.isBuffer(body) || body.length === 0) throw invalidRequest([{ pointer: '', message: 'is missing' }]);
  const types = [...checkBody.keys()];
  const { type, charset } = mediaType(request);
  const check = checkBody.get(type);
  if (check === undefined) throw unsupported(request, types, `Send the body as ${types.join(' or ')}.`);
  if (charset !== undefined && !UTF_8.test(charset)) throw unsupported(request, types, 'Send the body in UTF-8.');
  return check(parseJson(body));
};

const route =
  (operation: CheckedOperation, handler: AnyHandler): RequestHandler =>
  async (request, response) => {
    const context = contextOf(response);
    context.route = operation.path;
    context.clusterId = request.params['clusterId'] as string | undefined;
    const query = operation.checkQuery(request.query);
    const body = readBody(operation, request);
    const { call } = context;
    const reply = await handler({ params: request.params, query, body, url: pathAndQuery(request), call });
    response.status(reply.status).set(reply.headers ?? {});
    if (reply.body === undefined) response.end();
    else response.type(reply.type ?? 'application/json').send(reply.type ? reply.body : JSON.stringify(reply.body));
  };

/**
 * One route per operation.
 * @throws TypeError when an operation lacks a handler or a handler its operation
 */
export const createRouter = (documented: readonly CheckedOperation[], handlers: Handlers): Router => {
  const missing = documented
    .filter(({ operationId }) => !Object.hasOwn(handlers, operationId))
    .map(({ operationId }) => operationId);
  const unknown = Object.keys(handlers).filter((id) => !documented.some(({ operationId }) => operationId === id));
  if (missing.length > 0) throw new TypeError(`openapi.yaml has operations without a handler: ${missing.join(', ')}.`);
  if (unknown.length > 0) throw new TypeError(`There are handlers without an operation in openapi.yaml: ${unknown.join(', ')}.`);

  const router = express.Router({ strict: true, caseSensitive: true });
  for (const operation of documented) {
    const handler = handlers[operation.operationId as OperationId] as unknown as AnyHandler;
    router[operation.method](
      expressPath(operation.path),
      operation.checkBody.size > 0 ? readRaw : refuseBody,
      route(operation, handler),
    );
  }
  for (const path of new Set(documented.map((operation) => operation.path))) {
    const methods = documented.filter((operation) => operation.path === path).map(({ method }) => method.toUpperCase());
    const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])].join(', ');
    router.all(expressPath(path), (request, response) => {
      response.set('Allow', allow);
      throw new GatewayError('method_not_allowed', `${request.method} is not a method of this path; it has ${allow}.`);
    });
  }
  return router;
};
