/** Before an operation is performed, and before its body is read: who asks, whether they may, and whether they ask too much. */
import type { Request, RequestHandler, Response } from 'express';
import type { Authenticate, Credentials } from '../../../src/callers/authenticate.js';
import { type Caller, type CallerCall, sees } from '../../../src/callers/caller.js';
import type { Rate } from '../../../src/callers/rate.js';
import { mayOn, maySomewhere } from '../../../src/callers/rights.js';
import { GatewayError } from '../../../src/errors.js';
import { shortened } from '../../../src/vendor/harmless.js';
import { bodyBytes } from '../body.js';
import { callerCallOf, contextOf, type RequestContext } from '../context.js';
import type { CheckedOperation } from '../contract.js';
import { PROBES } from '../probes.js';
import { CHALLENGE } from '../problem.js';
import { usernamesIn } from '../refusals.js';
import type { InFlight } from './in-flight.js';
import type { Pace } from './pace.js';

export interface GuardDeps {
  readonly authenticate: Authenticate;
  readonly inFlight: InFlight;
  readonly rate: Rate;
  readonly pace: Pace;
  /** What is answered about a cluster that is not there, or not for this caller. */
  unknownCluster(clusterId: string, call: CallerCall): GatewayError;
}

/** Of an id that nobody has checked yet, in the log and the audit trail; no cluster's own is longer. */
const MAX_KEPT = 255;
/** Longer than any credential that is taken. */
const MAX_LENGTH = 16_384;

const credentialsOf = (request: Request): Credentials => {
  const [scheme = '', token, ...rest] = (request.get('authorization') ?? '').slice(0, MAX_LENGTH).trim().split(/ +/);
  const isBearer = scheme.toLowerCase() === 'bearer' && token !== undefined && rest.length === 0;
  return {
    bearer: isBearer ? token : undefined,
    apiKey: request.get('x-api-key'),
    peer: request.socket.remoteAddress ?? '',
    header: (name) => request.headersDistinct[name.toLowerCase()] ?? [],
  };
};

/** RFC 6750, section 3. @throws unauthenticated */
const identify = async (authenticate: Authenticate, request: Request, response: Response): Promise<Caller> => {
  // Node keeps the first one, and what is before the gateway may have looked at the last.
  const isRepeated = (request.headersDistinct['authorization']?.length ?? 0) > 1;
  const verified = isRepeated
    ? { refusal: 'The header Authorization is there more than once.' }
    : await authenticate(credentialsOf(request));
  if (verified && 'caller' in verified) return verified.caller;
  if (verified) {
    response.set('WWW-Authenticate', `${CHALLENGE}, error="invalid_token", error_description="${verified.refusal}"`);
    throw new GatewayError('unauthenticated', verified.refusal);
  }
  response.set('WWW-Authenticate', CHALLENGE);
  throw new GatewayError(
    'unauthenticated',
    'The request names no caller. Send an API key or a token as `Authorization: Bearer …`, or an API key as `X-API-Key: …`.',
  );
};

/** @throws caller_rate_limited */
const count = async (rate: Rate, caller: Caller, response: Response): Promise<void> => {
  const state = await rate(caller);
  if (!state) return;
  const { isAllowed, quota, windowSeconds, remaining, resetMs } = state;
  response.set({
    'RateLimit-Policy': `"caller";q=${quota};w=${windowSeconds}`,
    RateLimit: `"caller";r=${remaining};t=${Math.ceil(resetMs / 1000)}`,
  });
  if (!isAllowed)
    throw new GatewayError(
      'caller_rate_limited',
      `The caller may send ${quota} requests in ${windowSeconds} seconds. Nothing was begun.`,
      {
        retryAfterMs: resetMs,
      },
    );
};

/** @throws cluster_not_found, forbidden */
const requireRights = (
  { unknownCluster }: GuardDeps,
  { verbs }: CheckedOperation,
  clusterId: string | undefined,
  context: RequestContext,
  caller: Caller,
): void => {
  const { rights } = caller;
  if (clusterId !== undefined && !sees({ caller }, clusterId)) throw unknownCluster(clusterId, callerCallOf(context));
  if (clusterId === undefined ? maySomewhere(rights, verbs) : mayOn(rights, verbs, clusterId)) return;
  const where = clusterId === undefined ? '' : ` on the cluster ${clusterId}`;
  throw new GatewayError('forbidden', `This needs the right ${verbs.join(' or ')}${where}, which the caller does not have.`, {
    lacks: verbs,
  });
};

/** What goes before the body of an operation is read. */
export const createGuard =
  (deps: GuardDeps) =>
  (operation: CheckedOperation): RequestHandler =>
  async (request, response, next) => {
    const context = contextOf(response);
    const { clusterId, operationId } = request.params as { readonly clusterId?: string; readonly operationId?: string };
    context.operation = operation;
    context.route = operation.path;
    context.clusterId = clusterId && shortened(clusterId, MAX_KEPT);
    if (operation.verbs.length === 0) {
      if (!PROBES.has(operation.path)) {
        await deps.pace(request, response);
        deps.inFlight.enterPublic(response);
      }
    } else {
      const caller = await deps.inFlight.asking(() => identify(deps.authenticate, request, response));
      context.caller = caller;
      // Kept of callers only: what a stranger writes is in no record.
      context.usernames = usernamesIn(request.params);
      context.operationId = operationId && shortened(operationId, MAX_KEPT);
      context.leave = deps.inFlight.enter(caller, bodyBytes(operation, request), response);
      await count(deps.rate, caller, response);
      requireRights(deps, operation, clusterId, context, caller);
    }
    next();
  };
