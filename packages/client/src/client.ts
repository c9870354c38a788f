import openapiFetch, { type Client } from 'openapi-fetch';
import { GatewayProblem, type Operation, UnexpectedAnswer } from './errors.js';
import type { components, operations, paths } from './openapi.js';
import { itemsOf, pagesOf } from './pages.js';
import { type Bounds, createSender } from './sending.js';
import { isBatchResult, isClusterList, isOperation, isUser, pageOf, type Shape } from './shapes.js';
import { systemTiming, type Timing } from './timing.js';
import { waitFor } from './waiting.js';

type Schemas = components['schemas'];
export type User = Schemas['User'];
export type UserPage = Schemas['UserPage'];
export type ClusterList = Schemas['ClusterList'];
export type UserCreate = Schemas['UserCreate'];
export type BatchRequest = Schemas['BatchRequest'];
export type OperationRequest = Schemas['OperationRequest'];
export type BatchResult = Schemas['BatchResult'];
export type OperationHead = Schemas['OperationHead'];
export type OperationPage = Schemas['OperationPage'];
export type Role = Schemas['Role'];
type QueryOf<Name extends keyof operations> = Omit<NonNullable<operations[Name]['parameters']['query']>, 'cursor'>;
export type UserQuery = QueryOf<'listUsers'>;
export type OperationQuery = QueryOf<'listOperations'>;

export interface ClientOptions {
  /** Of the gateway, with the path before its own where there is one: `https://hpc.example.org`. */
  readonly url: string;
  /** An API key or a token; sent as `Authorization: Bearer`. */
  readonly key?: string | undefined;
  /** In place of the platform's. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** How often one request is sent at most; 5 by default. Of all three bounds, Infinity is none. */
  readonly attempts?: number;
  /** How long one answer is waited for, in milliseconds; 60,000 by default. */
  readonly attemptMs?: number;
  /** How long one request is repeated, all attempts and pauses together, in milliseconds; 180,000 by default. */
  readonly totalMs?: number;
}

export interface RequestOptions {
  readonly signal?: AbortSignal;
}

export interface WriteOptions extends RequestOptions {
  /** For a write that another process may repeat; by default each call makes one of its own. 1 to 255 printable ASCII characters without blanks and quotes. */
  readonly idempotencyKey?: string;
}

export interface WaitOptions extends RequestOptions {
  /** 600,000 by default. */
  readonly timeoutMs?: number;
  /** Called with the operation each time it is read, every few seconds. */
  readonly onProgress?: (operation: Operation) => void;
}

/**
 * All methods throw `GatewayProblem` for what the gateway refuses, `GatewayUnreachable` and `UnexpectedAnswer` where there is no gateway, and the
 * reason of an aborted signal. What can succeed later is sent again first: a request without an answer, 408, 429, 503. A write keeps its
 * `Idempotency-Key`, so that it is made once; one that outlasts its request (504 `still_running`) is followed to its end.
 */
export interface GatewayClient {
  /** Every operation of the OpenAPI document, with the same repetition and errors: `api.GET('/vendors')`. Name the `Accept` of what is not JSON. */
  readonly api: Client<paths>;
  clusters(options?: RequestOptions): Promise<ClusterList>;
  /** All windows of the users of a cluster, in the vendor's order; each is read when it is asked for. `limit` is the size of a window. */
  userPages(clusterId: string, query?: UserQuery, options?: RequestOptions): AsyncGenerator<UserPage, void, void>;
  /** All users of a cluster, window by window. */
  users(clusterId: string, query?: UserQuery, options?: RequestOptions): AsyncGenerator<User, void, void>;
  user(clusterId: string, username: string, options?: RequestOptions): Promise<User>;
  createUser(clusterId: string, user: UserCreate, options?: WriteOptions): Promise<User>;
  setRole(clusterId: string, username: string, role: Role, options?: WriteOptions): Promise<User>;
  setPassword(clusterId: string, username: string, password: string, options?: WriteOptions): Promise<void>;
  deleteUser(clusterId: string, username: string, options?: WriteOptions): Promise<void>;
  /** Waits for the end; of a dry run, what would become of each item. For many items, `startOperation` shows how far it is. */
  batch(clusterId: string, batch: BatchRequest, options?: WriteOptions): Promise<BatchResult>;
  /** Starts a batch and does not wait for its end. */
  startOperation(clusterId: string, batch: OperationRequest, options?: WriteOptions): Promise<Operation>;
  /** All operations that fit, newest first. */
  operations(query?: OperationQuery, options?: RequestOptions): AsyncGenerator<OperationHead, void, void>;
  operation(id: string, options?: RequestOptions): Promise<Operation>;
  /** @returns the operation, which is done: what was sent before is completed first */
  cancelOperation(id: string, options?: RequestOptions): Promise<Operation>;
  /** @returns the operation, which is done, well or not @throws WaitTimeout */
  waitForOperation(id: string, options?: WaitOptions): Promise<Operation>;
}

const isUserPage = pageOf(isUser);
const isOperationPage = pageOf(isOperation);

/** Fits in one segment of a path, and is no step up. */
const checkNames = (...names: readonly string[]): void => {
  if (names.some((name) => /^\.{0,2}$/.test(name)))
    throw new TypeError('A cluster, a user and an operation need a name, which is not "." or "..".');
};

const checkUrl = (given: string): string => {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash)
    throw new TypeError(
      'The URL of the gateway has to be http:// or https:// with a host, and without user, query and fragment.',
    );
  return url.href.replace(/\/+$/, '');
};

/** Its own message: that of the platform quotes the header. */
const checkKey = (key: string): string => {
  if (!/^[\x21-\x7e]+$/.test(key)) throw new TypeError('The API key has to be printable ASCII without blanks and line ends.');
  return key;
};

/** Of NaN, timers would make no time at all. Infinity is no bound. */
const checkBounds = (bounds: Bounds): Bounds => {
  for (const [name, value] of Object.entries(bounds)) if (!(value > 0)) throw new TypeError(`${name} has to be a number over 0.`);
  return bounds;
};

const foreign = (url: string, status: number): UnexpectedAnswer =>
  new UnexpectedAnswer(
    `${new URL(url).origin} answered ${status} with something that no gateway answers. Check that the URL is the gateway's, path included.`,
    status,
  );

/** @param timing is for tests @throws TypeError where the URL, the key or a bound cannot be used; it quotes neither of the first */
export const createClient = (options: ClientOptions, timing: Timing = systemTiming): GatewayClient => {
  const {
    key,
    fetch = (url, init) => globalThis.fetch(url, init),
    attempts = 5,
    attemptMs = 60_000,
    totalMs = 180_000,
  } = options;
  const baseUrl = checkUrl(options.url);
  const api = openapiFetch<paths>({
    baseUrl,
    ...(key !== undefined && { headers: { authorization: `Bearer ${checkKey(key)}` } }),
    fetch: createSender(baseUrl, fetch, checkBounds({ attempts, attemptMs, totalMs }), timing),
  });

  /** @throws UnexpectedAnswer where it has another shape */
  const of = async <Data>(isShape: Shape, answer: Promise<{ data?: unknown; response: Response }>): Promise<Data> => {
    const { data, response } = await answer;
    if (!isShape(data)) throw foreign(baseUrl, response.status);
    return data as Data;
  };
  /** @throws UnexpectedAnswer where it is not 204 */
  const nothing = async (answer: Promise<{ response: Response }>): Promise<void> => {
    const { status } = (await answer).response;
    if (status !== 204) throw foreign(baseUrl, status);
  };
  const sent = ({ signal, idempotencyKey }: WriteOptions) => ({
    ...(signal && { signal }),
    ...(idempotencyKey !== undefined && { headers: { 'Idempotency-Key': idempotencyKey } }),
  });
  const at = (clusterId: string, username: string) => {
    checkNames(clusterId, username);
    return { path: { clusterId, username } };
  };
  const userPages = (clusterId: string, query: UserQuery = {}, more: RequestOptions = {}) => {
    checkNames(clusterId);
    return pagesOf<User, UserPage>((cursor) => {
      // A cursor knows the place already.
      const { offset, ...rest } = query;
      const where = cursor === undefined ? query : { ...rest, cursor };
      return of(
        isUserPage,
        api.GET('/clusters/{clusterId}/users', { params: { path: { clusterId }, query: where }, ...sent(more) }),
      );
    });
  };
  const look = async (operationId: string, more: RequestOptions, wait?: number) => {
    checkNames(operationId);
    const header = wait === undefined ? {} : { Prefer: `wait=${wait}` };
    const answer = await api.GET('/operations/{operationId}', { params: { path: { operationId }, header }, ...sent(more) });
    return { operation: await of<Operation>(isOperation, Promise.resolve(answer)), headers: answer.response.headers };
  };

  return {
    api,
    clusters: async (more = {}) => of(isClusterList, api.GET('/clusters', sent(more))),
    userPages,
    users: (clusterId, query, more) => itemsOf(userPages(clusterId, query, more)),
    user: async (clusterId, username, more = {}) =>
      of(isUser, api.GET('/clusters/{clusterId}/users/{username}', { params: at(clusterId, username), ...sent(more) })),
    createUser: async (clusterId, body, more = {}) => {
      checkNames(clusterId);
      return of(isUser, api.POST('/clusters/{clusterId}/users', { params: { path: { clusterId } }, body, ...sent(more) }));
    },
    setRole: async (clusterId, username, role, more = {}) =>
      of(
        isUser,
        api.PATCH('/clusters/{clusterId}/users/{username}', { params: at(clusterId, username), body: { role }, ...sent(more) }),
      ),
    setPassword: async (clusterId, username, password, more = {}) => {
      const params = at(clusterId, username);
      await nothing(api.PUT('/clusters/{clusterId}/users/{username}/password', { params, body: { password }, ...sent(more) }));
    },
    deleteUser: async (clusterId, username, more = {}) => {
      await nothing(api.DELETE('/clusters/{clusterId}/users/{username}', { params: at(clusterId, username), ...sent(more) }));
    },
    batch: async (clusterId, body, more = {}) => {
      checkNames(clusterId);
      return of(
        isBatchResult,
        api.POST('/clusters/{clusterId}/users/batch', { params: { path: { clusterId } }, body, ...sent(more) }),
      );
    },
    startOperation: async (clusterId, body, more = {}) => {
      checkNames(clusterId);
      return of(
        isOperation,
        api.POST('/clusters/{clusterId}/operations', { params: { path: { clusterId } }, body, ...sent(more) }),
      );
    },
    operations: (query = {}, more = {}) =>
      itemsOf(
        pagesOf<OperationHead, OperationPage>((cursor) =>
          of(
            isOperationPage,
            api.GET('/operations', { params: { query: { ...query, ...(cursor !== undefined && { cursor }) } }, ...sent(more) }),
          ),
        ),
      ),
    operation: async (id, more = {}) => (await look(id, more)).operation,
    cancelOperation: async (operationId, more = {}) => {
      checkNames(operationId);
      return of(isOperation, api.POST('/operations/{operationId}/cancel', { params: { path: { operationId } }, ...sent(more) }));
    },
    waitForOperation: (id, waiting = {}) => waitFor(id, (wait, signal) => look(id, { signal }, wait), waiting, timing),
  };
};

/** Whether it is a problem of this code. */
export const isProblem = (error: unknown, code: Schemas['ErrorCode']): error is GatewayProblem =>
  error instanceof GatewayProblem && error.code === code;
