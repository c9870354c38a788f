import { type Dialect, Refusal, type Reply, type SimulatorContext } from '../kit/index.js';
import { createActions } from './actions.js';
import { secretsOf, withField } from './echo.js';
import { messageOf, refuse } from './errors.js';
import { canShow, FAULTS, retryHeaders } from './faults.js';
import { createJobs } from './jobs.js';
import { createOtherParty } from './other-party.js';
import type { ShanheQuirks } from './quirks.js';
import { createQuota } from './quota.js';
import { corrupt, failure, success } from './replies.js';
import type { ShanheClusterSeed } from './seed.js';
import { createState, passwordMatches, usersOf } from './state.js';
import { readCall, type ShanheCall } from './urls.js';
import { verifyCall } from './verify.js';

export interface DialectOptions {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly zones: readonly string[];
  readonly clusters: readonly ShanheClusterSeed[];
  readonly quirks: ShanheQuirks;
  readonly jobMs: number;
  /** The account that owns the clusters, and whether cluster/list checks it. */
  readonly account: string;
  readonly owner: string | undefined;
  readonly quota: number | undefined;
}

const bare = (status: number, body: string, headers: Record<string, string>): Reply => ({
  status,
  code: 'NONE',
  contentType: 'text/plain',
  body,
  headers,
});

export const createDialect = (options: DialectOptions, { clock, timers, journal }: SimulatorContext): Dialect<ShanheCall> => {
  const { quirks } = options;
  const state = createState(options.clusters, options.account, clock.now, journal.effect);
  const jobs = createJobs(timers, clock.now, options.jobMs);
  const actions = createActions({ state, jobs, quirks }, options.owner);
  const useQuota = createQuota(options.quota);
  const rules = { ...options, lenient: quirks.lenientSignature };

  /** 1.2: a write carries a JSON object that repeats the zone. */
  const checkBody = (call: ShanheCall) => {
    const type = call.request.headers['content-type'] ?? '';
    if (!type.toLowerCase().startsWith('application/json')) refuse('1100', 'content type must be application/json');
    if (call.body === null) refuse('1100', 'the body must be a JSON object');
    const zone = call.body?.['zone'];
    if (zone === undefined && quirks.bodyZone === 'optional') return;
    if (zone === undefined) refuse('1100', 'parameter [zone] is missing in the body');
    if (zone !== call.query.get('zone')) refuse('1101', 'zone of body and query differ');
  };

  const admit = (call: ShanheCall) => {
    const action = Object.hasOwn(actions, call.action) ? actions[call.action] : undefined;
    if (action?.method !== call.method) refuse('1101', `no such method ${call.method} ${call.action}`);
    verifyCall(call, rules, clock.now());
    useQuota(clock.now());
    if (call.method === 'POST') checkBody(call);
  };

  const orRefusal = <Value>(run: () => Value): Value | Reply => {
    try {
      return run();
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause;
      return failure({ code: cause.code, message: messageOf(cause.code, cause.detail) }, quirks);
    }
  };

  return {
    faultKinds: FAULTS,
    actions: Object.keys(actions),
    canShow,
    read: readCall,
    admit: (call) =>
      orRefusal(() => {
        admit(call);
        return null;
      }),
    perform: (call, fault) =>
      orRefusal(() => {
        const action = actions[call.action] ?? refuse('1101');
        return success(action.name, action.run(call, fault));
      }),
    faultReply: (fault) => {
      const headers = retryHeaders(fault);
      // No HTTP status is documented, so a bare one has no vendor body unless a ret_code is asked for too.
      if (fault.kind === 'http_status' && fault.code === undefined)
        return bare(fault.status ?? 500, fault.message ?? '', headers);
      return failure({ code: fault.code ?? '2500', message: fault.message, status: fault.status, headers }, quirks);
    },
    corrupt,
    echo: { secretsOf, withField },
    users: (clusterId) => usersOf(state, clusterId),
    checkPassword: (clusterId, username, password) => passwordMatches(state, clusterId, username, password),
    otherParty: createOtherParty(state, clock.now),
  };
};
