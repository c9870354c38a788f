/** Writes that are turned away are recorded in the audit trail, like those that are accepted. */
import type { Audit } from '../../src/audit/service.js';
import type { GatewayError } from '../../src/errors.js';
import { shortened } from '../../src/vendor/harmless.js';
import { isObject } from '../../src/wire.js';
import type { RequestContext } from './context.js';
import type { CheckedOperation } from './contract.js';
import { PROBLEM_TYPES } from './problem.js';

/** What the gateway decided about the write; that a request was malformed, or came at a bad time, is no such decision. */
const DECISIONS: ReadonlySet<number> = new Set([401, 403, 404, 409, 422, 501]);

/** No vendor has longer ones; what is longer was not checked yet, and would fill the store. */
const MAX_NAME = 255;

const isWrite = ({ verbs }: CheckedOperation): boolean => verbs.includes('write');

/** Of one record: a batch that is refused can be sent again and again. */
const MAX_NAMES = 100;

/** Whom a request is about, as far as it has been understood. */
export const usernamesIn = (params: Readonly<Record<string, unknown>>, body?: unknown): string[] => {
  const { username, items } = isObject(body) ? body : {};
  const named = Array.isArray(items)
    ? items.map((item) => (isObject(item) ? item['username'] : undefined))
    : [username ?? params['username']];
  return named.filter((name) => typeof name === 'string').map((name) => shortened(name, MAX_NAME));
};

export type RecordRefusal = (context: RequestContext, error: GatewayError) => Promise<void>;

export const createRefusals =
  ({ refused }: Pick<Audit, 'refused'>, vendorOf: (clusterId: string) => string | null): RecordRefusal =>
  async ({ operation, caller, address, clusterId, requestId, usernames, operationId, hasOperation, isDry }, { code }) => {
    if (!operation || !isWrite(operation) || hasOperation || isDry || !DECISIONS.has(PROBLEM_TYPES[code].status)) return;
    await refused({
      caller: caller?.id ?? null,
      address,
      requestId,
      clusterId: clusterId ?? null,
      vendor: clusterId === undefined ? null : vendorOf(clusterId),
      action: operation.operationId,
      things: (usernames ?? []).slice(0, MAX_NAMES).map((name) => ({ name, status: 'refused' })),
      operationId: operationId ?? null,
      code,
    });
  };
