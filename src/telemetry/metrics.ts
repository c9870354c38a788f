/** Figures for Prometheus: what the core's events count, and what is asked for when somebody looks. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Account } from '../clusters/registry.js';
import type { BreakerState } from '../vendor/breaker.js';
import type { Load } from '../writes/engine.js';
import type { Events } from './events.js';

export interface MetricsDeps {
  readonly events: Events;
  readonly version: string;
  readonly accounts: readonly Account[];
  readonly load: Load;
  /** Whether the store answered when it was last asked. */
  readonly isStoreUp: () => boolean;
  /** Users of lists that are kept. */
  readonly keptUsers: () => number;
}

export interface Metrics {
  /** What the text is. */
  readonly type: string;
  text(): Promise<string>;
}

/** In seconds; the last one is the longest deadline that may be configured. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 600];
const WAITS = [0.05, 0.25, 1, 5, 15, 60, 300, 900, 3_600, 21_600, 86_400];
const STATES: readonly BreakerState[] = ['closed', 'open', 'half-open'];
const SECOND_MS = 1_000;
const STEPS = ['create', 'setRole', 'setPassword', 'delete', 'ensure'];

export const createMetrics = ({ events, version, accounts, load, isStoreUp, keptUsers }: MetricsDeps): Metrics => {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const requests = new Histogram({
    name: 'hpc_gateway_http_request_duration_seconds',
    help: 'Requests that were answered, or given up, by operation of the document.',
    labelNames: ['operation', 'status'] as const,
    buckets: BUCKETS,
    registers,
  });
  events.on('request', ({ operation, status, durationMs }) =>
    requests.observe({ operation, status: String(status) }, durationMs / SECOND_MS),
  );

  const calls = new Histogram({
    name: 'hpc_gateway_vendor_call_duration_seconds',
    help: 'Calls to vendors, each attempt for itself; the outcome is ok or the code of the problem.',
    labelNames: ['vendor', 'account', 'action', 'outcome'] as const,
    buckets: BUCKETS,
    registers,
  });
  events.on('vendorCall', ({ vendor, account, action, outcome, durationMs }) =>
    calls.observe({ vendor, account, action, outcome }, durationMs / SECOND_MS),
  );

  const items = new Counter({
    name: 'hpc_gateway_items_settled_total',
    help: 'Users of writes that have come to their end, by the last step and its outcome.',
    labelNames: ['vendor', 'step', 'status'] as const,
    registers,
  });
  // What never happened has its 0: the first time would not be seen as a change.
  const vendors = new Set(accounts.map(({ module }) => module.vendor));
  for (const vendor of vendors) for (const step of STEPS) items.inc({ vendor, step, status: 'unknown' }, 0);
  const waits = new Histogram({
    name: 'hpc_gateway_item_wait_seconds',
    help: 'From the acceptance of a write to the end of each of its users.',
    buckets: WAITS,
    registers,
  });
  events.on('item', ({ vendor, step, status, afterMs }) => {
    items.inc({ vendor, step, status });
    waits.observe(afterMs / SECOND_MS);
  });

  const omitted = new Counter({
    name: 'hpc_gateway_rows_omitted_total',
    help: 'Rows of lists of vendors that name nobody, and were left out.',
    labelNames: ['vendor'] as const,
    registers,
  });
  for (const vendor of vendors) omitted.inc({ vendor }, 0);
  events.on('omission', ({ vendor, rows }) => omitted.inc({ vendor }, rows));

  const asked = new Counter({
    name: 'hpc_gateway_list_cache_requests_total',
    help: 'Looks for a list of users that is kept: found (hit), not there or out of date (miss), passed over for Cache-Control: no-cache (bypass); and reads that joined one that was under way (shared).',
    labelNames: ['result'] as const,
    registers,
  });
  events.on('list', ({ result }) => asked.inc({ result }));

  new Gauge({
    name: 'hpc_gateway_list_cache_users',
    help: 'Users of the lists that are kept.',
    registers,
    collect() {
      this.set(keptUsers());
    },
  });

  new Gauge({
    name: 'hpc_gateway_vendor_budget_remaining_calls',
    help: 'Calls that an account has left at its vendor, where they are counted.',
    labelNames: ['account'] as const,
    registers,
    async collect() {
      for (const { name, budget } of accounts) if (budget) this.set({ account: name }, (await budget.state()).remaining);
    },
  });

  new Gauge({
    name: 'hpc_gateway_breaker_state',
    help: 'Of the calls to a cluster, by the id of the vendor; an empty one stands for what concerns none. 1 for the present state.',
    labelNames: ['account', 'cluster', 'state'] as const,
    registers,
    collect() {
      this.reset();
      for (const { name, lines } of accounts)
        for (const [cluster, present] of lines.breakers())
          for (const state of STATES) this.set({ account: name, cluster, state }, Number(state === present));
    },
  });

  new Gauge({
    name: 'hpc_gateway_domain_held',
    help: '1 where this process works for the write domain of the account.',
    labelNames: ['account'] as const,
    registers,
    collect() {
      const held = new Set(load.held());
      for (const { name, domain } of accounts) this.set({ account: name }, Number(held.has(domain)));
    },
  });

  new Gauge({
    name: 'hpc_gateway_oldest_open_item_timestamp_seconds',
    help: 'When the oldest write that is open here was asked for, in seconds since 1970.',
    labelNames: ['account'] as const,
    registers,
    collect() {
      this.reset();
      for (const [account, { oldestAt }] of load.open()) this.set({ account }, oldestAt / SECOND_MS);
    },
  });

  new Gauge({
    name: 'hpc_gateway_open_items',
    help: 'Users of writes that have not come to their end, in the process that works for the account.',
    labelNames: ['account'] as const,
    registers,
    collect() {
      const open = load.open();
      const held = new Set(load.held());
      this.reset();
      for (const { name, domain } of accounts) if (held.has(domain)) this.set({ account: name }, open.get(name)?.items ?? 0);
    },
  });

  new Gauge({
    name: 'hpc_gateway_store_up',
    help: '1 where the store answered when it was last asked.',
    registers,
    collect() {
      this.set(Number(isStoreUp()));
    },
  });

  new Gauge({
    name: 'hpc_gateway_build_info',
    help: 'Always 1.',
    labelNames: ['version'] as const,
    registers,
  }).set({ version }, 1);

  return { type: registry.contentType, text: () => registry.metrics() };
};
