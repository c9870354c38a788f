/** The document becomes routes: its paths, its methods, its schemas, its operationIds. */
import express, { type Request, type RequestHandler, type Router } from 'express';
import { GatewayError } from '../../src/errors.js';
import { bodyParser, readBody } from './body.js';
import { contextOf } from './context.js';
import type { CheckedOperation } from './contract.js';
import type { Handlers, OperationId } from './operations.js';

/** A handler and its answer without the types of one operation. */
type AnyHandler = (input: object) => Promise<AnyReply> | AnyReply;

interface AnyReply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly type?: string;
}

const expressPath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1');

/** Path and query as they came; a request line may hold a whole URL, whose host is not to be trusted. */
const pathAndQuery = ({ path, originalUrl }: Request): string => {
  const query = originalUrl.indexOf('?');
  return query === -1 ? path : `${path}${originalUrl.slice(query)}`;
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
    router[operation.method](expressPath(operation.path), bodyParser(operation), route(operation, handler));
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
