import type { ErrorRequestHandler, RequestHandler } from 'express';
import { asGatewayError, GatewayError, type Report } from '../../src/errors.js';
import { isObject } from '../../src/wire.js';
import { UNKNOWN_ENCODING } from './body.js';
import { contextOf } from './context.js';
import { nearestPath } from './paths.js';
import { sendProblem } from './problem.js';
import { decodeText } from './query.js';
import type { RecordRefusal } from './refusals.js';
import type { Pace } from './security/pace.js';
import { isUnwanted } from './unwanted.js';
import { invalidRequest } from './validation.js';

/** A path is shown up to so many characters. */
const MAX_SHOWN = 200;

/** @param paths those of the document */
export const unknownPath =
  (paths: readonly string[]): RequestHandler =>
  ({ path }, response) => {
    const { links } = contextOf(response);
    const meant = nearestPath(path, paths);
    const shown = links.to(path.length > MAX_SHOWN ? `${path.slice(0, MAX_SHOWN)}…` : path);
    const help = meant === undefined ? `See ${links.to('/openapi.json')} for all paths.` : `Did you mean ${links.to(meant)}?`;
    throw new GatewayError('not_found', `There is nothing at ${shown}. ${help}`);
  };

/** The parameters of paths, by the part before them. */
const PARAMETER_AFTER: Readonly<Record<string, string>> = {
  clusters: '/clusterId',
  users: '/username',
  operations: '/operationId',
};

const brokenPath = (path: string): GatewayError => {
  const parts = path.split('/');
  const at = parts.findIndex((part) => decodeText(part) === null);
  const pointer = `/path${PARAMETER_AFTER[parts[at - 1] ?? ''] ?? ''}`;
  const message = 'must be UTF-8 in valid percent-encoding';
  return new GatewayError('invalid_request', `The path ${message}.`, { errors: [{ pointer, message }] });
};

/** What Express and its body parser throw, by their documented `status` and `type`. Their messages are not passed on. */
const fromExpress = (thrown: unknown, path: string): GatewayError | undefined => {
  if (!isObject(thrown) || thrown instanceof GatewayError) return undefined;
  switch (thrown['status']) {
    case 413:
      return new GatewayError('payload_too_large', 'The body is over 1 MiB.');
    case 415:
      return new GatewayError('unsupported_media_type', UNKNOWN_ENCODING);
    case 400:
      return thrown instanceof URIError ? brokenPath(path) : invalidRequest([{ pointer: '', message: 'could not be read' }]);
    default:
      return undefined;
  }
};

export const sendFailure =
  (report: Report, recordRefusal: RecordRefusal, pace: Pace): ErrorRequestHandler =>
  async (thrown, request, response, _next) => {
    const error = fromExpress(thrown, request.path) ?? asGatewayError(thrown);
    const context = contextOf(response);
    context.error = error;
    const { requestId, links } = context;
    if (error.code === 'internal_error') report(error, requestId);
    await recordRefusal(context, error);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (isUnwanted(context)) {
      context.leave?.();
      await pace(request, response);
    }
    // What is refused before it has arrived is not read to its end.
    if (!request.complete) response.set('Connection', 'close');
    sendProblem(response, error, { instance: request.path, requestId, links });
  };
