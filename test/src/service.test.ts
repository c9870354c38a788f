/** The services over a vendor that is made up. */
import { describe, expect, it } from '@jest/globals';
import { memory } from '../../adapters/memory/index.js';
import type { Adapter, AdapterModule, VendorCluster } from '../../src/adapter.js';
import type { CallerCall } from '../../src/callers/caller.js';
import { type Clusters, createClusters } from '../../src/clusters/directory.js';
import { createRegistry, type Target } from '../../src/clusters/registry.js';
import type { GatewayConfig } from '../../src/config/schema.js';
import { GatewayError, type Report } from '../../src/errors.js';
import type { ClusterState } from '../../src/model.js';
import { createAdmission, type Requirement } from '../../src/users/admission.js';
import { createUsers } from '../../src/users/queries.js';
import { createSources } from '../../src/users/sources.js';
import { anybodysCall, testCursors } from '../support/callers.js';
import { nothingKept } from '../support/kept-lists.js';
import { vendorUser } from '../support/vendor-user.js';

const call = anybodysCall();
const silent: Report = () => undefined;
const cluster = (state: ClusterState): VendorCluster => ({
  id: 'v',
  name: null,
  state,
  vendorState: null,
  type: null,
  region: null,
  zone: null,
  createdAt: null,
});

/** Clusters of one account with this adapter. */
const serve = (adapter: Partial<Adapter>, report: Report = silent): Clusters => {
  const module = { ...memory, create: () => adapter as Adapter } as unknown as AdapterModule;
  const config: GatewayConfig = {
    server: {
      host: '',
      port: 0,
      deadlineSeconds: 1,
      drainSeconds: 1,
      shutdownDelaySeconds: 0,
      settleSeconds: 0,
      callSeconds: 30,
      jobSeconds: 1,
      docs: { enabled: true, tryItOut: false },
      trustProxy: [],
      allowedHosts: [],
      cors: { origins: [] },
      sendSeconds: 30,
      answerSeconds: 30,
      keepAliveSeconds: 65,
    },
    store: { kind: 'memory', path: '', leaseSeconds: 1 },
    retention: { operationDays: 1, idempotencyKeyHours: 1, auditDays: 1 },
    limits: {
      maxListUsers: 1_000,
      maxOpenItems: 1_000,
      maxRequestsInFlight: 1,
      requestsPerCallerPerMinute: 1,
      maxConnections: 1,
    },
    cache: { seconds: 0, maxUsers: 0 },
    log: { level: 'silent', format: 'json' },
    audit: {},
    accounts: { a: { vendor: 'memory', discover: false, domain: 'a', settings: {} } },
    clusters: [{ id: 'c', account: 'a', vendorClusterId: 'v' }],
  };
  const transport = async () => ({ status: 200, headers: {}, body: '' });
  return createClusters(
    createRegistry(config, { memory: module }, () => transport),
    report,
  );
};

describe('a page with a hole', () => {
  it('does not bring a user twice', async () => {
    const windows: number[] = [];
    const listUsers: Adapter['listUsers'] = async (_, { offset, limit }) => {
      windows.push(offset);
      const rows = Array.from({ length: Math.min(limit, 120 - offset) }, (_, index) => vendorUser(`u${offset + index}`));
      return { users: offset === 0 ? rows.slice(1) : rows, total: 120 };
    };
    const users = createUsers(serve({ listUsers }), testCursors, nothingKept, createSources(nothingKept), 30_000);
    const met: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const list = await users.list('c', { limit: 50, cursor }, call);
      met.push(...list.users.map(({ username }) => username));
      cursor = list.nextCursor;
    }
    expect(windows).toEqual([0, 50, 100]);
    expect(new Set(met).size).toBe(met.length);
  });
});

describe('a cursor', () => {
  const users = createUsers(
    serve({ listUsers: async () => ({ users: [vendorUser('u')], total: 9 }) }),
    testCursors,
    nothingKept,
    createSources(nothingKept),
    30_000,
  );
  const next = async (): Promise<string> => (await users.list('c', { limit: 1 }, call)).nextCursor as string;
  const refusing = (cursor: string, by: CallerCall = call) =>
    expect(users.list('c', { limit: 50, cursor }, by)).rejects.toMatchObject({ code: 'invalid_request' });

  it('that was changed is refused', async () => {
    const cursor = await next();
    const flipped = Buffer.from(cursor, 'base64url');
    flipped[20] = (flipped[20] ?? 0) ^ 1;
    for (const changed of [
      flipped.toString('base64url'),
      cursor.slice(1),
      cursor.slice(0, -1),
      `${cursor}A`,
      `${cursor}=`,
      `${cursor}.`,
      'x',
    ])
      await refusing(changed);
  });

  it('belongs to its caller', async () => {
    const cursor = await next();
    await expect(users.list('c', { limit: 50, cursor }, call)).resolves.toBeDefined();
    await refusing(cursor, { ...call, caller: { ...call.caller, id: 'another' } });
  });
});

describe('the gate', () => {
  /** States that the vendor tells one after the other; an error is thrown. */
  const over = async (...answers: (ClusterState | GatewayError)[]) => {
    const clusters = serve({
      getCluster: async () => {
        const answer = answers.shift();
        if (answer === undefined || answer instanceof GatewayError) throw answer ?? new Error('asked too often');
        return cluster(answer);
      },
    });
    return { clusters, gate: createAdmission(clusters), target: await clusters.resolve('c', call) };
  };
  const anything: Requirement = { features: ['create'], check: () => undefined };
  const denied = new GatewayError('vendor_permission_denied', 'denied');

  it('asks again before it refuses by a state that it only remembers', async () => {
    const { gate } = await over('stopped', 'ready');
    await expect(gate.admit('c', anything, call)).resolves.toMatchObject({ id: 'c' });
    const { gate: shut } = await over('stopped', 'stopped');
    await expect(shut.admit('c', anything, call)).rejects.toMatchObject({ code: 'cluster_not_ready' });
  });

  it('explains a denial by a state that has changed, and by nothing else', async () => {
    const cases = [
      ['stopped', 'cluster_not_ready'],
      ['ready', 'vendor_permission_denied'],
      [new GatewayError('vendor_rate_limited', 'throttled'), 'vendor_permission_denied'],
    ] as const;
    for (const [later, code] of cases) {
      const { clusters, gate, target } = await over('ready', later);
      await clusters.facts(target, call);
      await expect(gate.explainDenial(target, call, Promise.reject(denied))).rejects.toMatchObject({ code });
    }
  });

  it('leaves other failures alone', async () => {
    const { gate, target } = await over();
    const failure = new GatewayError('vendor_timeout', 'late');
    await expect(gate.explainDenial(target, call, Promise.reject(failure))).rejects.toBe(failure);
  });
});

describe('faults of the gateway that no failing request tells of', () => {
  const fault = new TypeError('a mistake of ours');
  const hear = () => {
    const heard: unknown[] = [];
    const report: Report = ({ cause }, requestId) => heard.push([cause, requestId]);
    return { heard, report };
  };

  it('are reported from an account that cannot be listed', async () => {
    const { heard, report } = hear();
    const listClusters = async () => {
      throw fault;
    };
    const { problems } = await serve({ listClusters }, report).list(call);
    expect(problems).toMatchObject([{ account: 'a', error: { code: 'internal_error' } }]);
    expect(heard).toEqual([[fault, 'r']]);
  });
});

describe('a target', () => {
  it('is told by its account and its vendor id', async () => {
    const target: Target = await serve({}).resolve('c', call);
    expect([target.account.name, target.vendorClusterId, target.discovered]).toEqual(['a', 'v', false]);
  });
});
