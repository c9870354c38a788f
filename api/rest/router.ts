/** The document becomes routes: its paths, its methods, its schemas, its operationIds. */
import express, { type RequestHandler, type Router } from 'express';
import { GatewayError } from '../../src/errors.js';
import { bodyParser } from './body.js';
import { contextOf } from './context.js';
import type { CheckedOperation } from './contract.js';
import { nearestPath } from './paths.js';
import { createPerform, type PerformDeps } from './perform.js';
import { send } from './problem.js';

export interface RouterDeps extends PerformDeps {
  /** What goes before the body of an operation is read. */
  guard(operation: CheckedOperation): RequestHandler;
}

const expressPath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1');

/** The methods of all documented paths that a path fits: a user may be called `batch`. */
const methodsAt = (documented: readonly CheckedOperation[], path: string): string[] => {
  const fits = ({ path: template }: CheckedOperation): boolean =>
    new RegExp(`^${template.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}$`).test(path);
  const methods = documented.filter(fits).map(({ method }) => method.toUpperCase());
  return [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])];
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
    const perform = createPerform(deps, operation);
    const serve: RequestHandler = async (request, response) => {
      const rendered = await perform(request, response);
      if (!rendered.stream) await send(response, rendered);
    };
    router[operation.method](expressPath(operation.path), deps.guard(operation), bodyParser(operation), serve);
  }
  for (const path of new Set(documented.map((operation) => operation.path))) {
    router.all(expressPath(path), (request, response) => {
      const { links } = contextOf(response);
      const { method, path: given } = request;
      const allow = methodsAt(documented, given).join(', ');
      response.set('Allow', allow);
      const others = documented.filter((operation) => operation.method === method.toLowerCase());
      const meant = nearestPath(
        given,
        others.map((operation) => operation.path),
      );
      const help = meant === undefined ? '' : ` Did you mean ${method} ${links.to(meant)}?`;
      throw new GatewayError('method_not_allowed', `${method} is not a method of this path; it has ${allow}.${help}`);
    });
  }
  return router;
};
