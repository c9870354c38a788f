import { type Dialect, Refusal, type Reply, type SimulatorContext } from '../kit/index.js';
import { createActions } from './actions.js';
import { secretsOf, withField } from './echo.js';
import { errorFacts, refuse } from './errors.js';
import { canShow, FAULTS, faultCode, retryHeaders } from './faults.js';
import { createAsyncListing, type ListingOptions } from './listing.js';
import { createOtherParty } from './other-party.js';
import type { EhpcQuirks } from './quirks.js';
import { corrupt, failure, success } from './replies.js';
import type { EhpcClusterSeed } from './seed.js';
import { createState, passwordMatches, usersOf } from './state.js';
import { type EhpcCall, readCall } from './urls.js';
import { createNonceMemory, type Keyring, verifyCall } from './verify.js';

export interface DialectOptions extends ListingOptions {
  readonly keyring: Keyring;
  readonly quirks: EhpcQuirks;
  readonly clusters: readonly EhpcClusterSeed[];
  readonly host: string;
  readonly asyncWriteMs: number;
  readonly denyActions: readonly string[];
  readonly strictPost: boolean;
}

const VERSION = '2018-04-12';

const deny = (action: string, code: string): never => {
  const detail = { AuthAction: `ehpc:${action}`, AuthPrincipalType: 'SubUser', NoPermissionType: 'ImplicitDeny' };
  return refuse(code, '', { AccessDeniedDetail: { ...detail, PolicyType: 'AccountLevelIdentityBasedPolicy' } });
};

const bare = (status: number, headers: Record<string, string>): Reply => ({
  status,
  code: 'NONE',
  contentType: 'text/plain',
  body: '',
  headers,
});

export const createDialect = (options: DialectOptions, { clock, timers, journal }: SimulatorContext): Dialect<EhpcCall> => {
  const { keyring, quirks, host, strictPost, denyActions } = options;
  const state = createState(options.clusters, quirks.unknownUser, clock.now, journal.effect);
  const asyncListing = createAsyncListing(state, quirks, options);
  const actions = createActions(
    { state, timers, asyncWriteMs: options.asyncWriteMs, quirks, now: clock.now, busyUntil: new Map() },
    asyncListing,
    options,
  );
  const hasRows = (call: EhpcCall) =>
    call.action === 'ListUsers' || (call.action === 'ListUsersAsync' && asyncListing.hasRows(call));
  const useNonce = createNonceMemory();

  /** Section 11.2 up to the point where faults and the operation take over. */
  const admit = (call: EhpcCall) => {
    if (call.request.path !== '/') refuse('InvalidApi.NotFound');
    if (!['GET', 'POST'].includes(call.method) || (strictPost && call.method === 'POST')) refuse('UnsupportedHTTPMethod');
    if (call.action === '') refuse('MissingAction');
    if (call.version === '') refuse('MissingVersion');
    if (call.version !== VERSION) refuse('NoSuchVersion');
    if (!Object.hasOwn(actions, call.action)) refuse('InvalidAction.NotFound');
    const nonce = verifyCall(call, keyring, clock.now(), quirks.timeWindowMinutes);
    useNonce(nonce, clock.now());
    if (denyActions.includes(call.action)) deny(call.action, quirks.ramDenial);
  };

  const orRefusal = <Value>(call: EhpcCall, run: () => Value): Value | Reply => {
    try {
      return run();
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause;
      return failure(call, errorFacts(cause, quirks), host);
    }
  };

  return {
    faultKinds: FAULTS,
    actions: Object.keys(actions),
    canShow: (fault, call) => canShow(fault, call, hasRows),
    read: readCall,
    admit: (call) =>
      orRefusal(call, () => {
        admit(call);
        return null;
      }),
    perform: (call, fault) => orRefusal(call, () => success(call, actions[call.action]?.(call, fault) ?? {})),
    faultReply: (fault, call) => {
      const code = faultCode(fault);
      if (code === '') return bare(fault.status ?? 500, retryHeaders(fault));
      const facts = errorFacts(new Refusal(code, fault.username ?? call.usernames[0] ?? ''), quirks);
      const { status = facts.status, message = facts.message } = fault;
      return failure(call, { ...facts, status, message }, host, retryHeaders(fault));
    },
    corrupt,
    echo: { secretsOf, withField },
    users: (clusterId) => usersOf(state, clusterId),
    checkPassword: (clusterId, username, password) => passwordMatches(state, clusterId, username, password),
    otherParty: createOtherParty(state, clock.now),
  };
};
