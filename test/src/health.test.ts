/** How accounts and clusters do, as calls show it. */
import { describe, expect, it } from '@jest/globals';
import { systemClock } from '../../src/clock.js';
import type { BreakerState } from '../../src/vendor/breaker.js';
import type { CallSeen } from '../../src/vendor/client.js';
import { createHealths } from '../../src/vendor/health.js';

const call = (cluster: string | undefined, outcome: CallSeen['outcome'], isGivenUp = false): CallSeen => ({
  kind: 'read',
  action: 'List',
  cluster,
  attempt: 1,
  outcome,
  durationMs: 12.3,
  http: undefined,
  trace: undefined,
  requestId: 'r',
  vendorRequestId: () => null,
  isGivenUp,
});

const healthsOf = (breakers: readonly (readonly [string, BreakerState])[] = []) =>
  createHealths((cluster) => new Map(breakers).get(cluster) ?? 'closed', systemClock);

describe('the health of a cluster', () => {
  it('is unknown before the first call', () => {
    expect(healthsOf().ofCluster('c')).toEqual({
      state: 'unknown',
      lastSuccessAt: null,
      lastFailure: null,
      latencyMs: null,
      breaker: 'closed',
    });
  });

  it.each(['ok', 'user_not_found', 'invalid_user', 'cluster_not_found'] as const)(
    'is good where the vendor answers (%s)',
    (outcome) => {
      const healths = healthsOf();
      healths.note(call('c', outcome));
      expect(healths.ofCluster('c')).toMatchObject({ state: 'ok', latencyMs: 12, lastFailure: null });
    },
  );

  it('follows the last call, and remembers the last failure', () => {
    const healths = healthsOf();
    healths.note(call('c', 'vendor_timeout'));
    expect(healths.ofCluster('c')).toMatchObject({
      state: 'degraded',
      lastSuccessAt: null,
      lastFailure: { code: 'vendor_timeout' },
    });
    healths.note(call('c', 'ok'));
    expect(healths.ofCluster('c')).toMatchObject({ state: 'ok', lastFailure: { code: 'vendor_timeout' } });
  });

  it('says nothing of callers who left', () => {
    const healths = healthsOf();
    healths.note(call('c', 'vendor_timeout', true));
    expect(healths.ofCluster('c').state).toBe('unknown');
  });

  it('is down where its calls are held back', () => {
    const healths = healthsOf([['c', 'open']]);
    healths.note(call('c', 'vendor_unavailable'));
    expect(healths.ofCluster('c')).toMatchObject({ state: 'down', breaker: 'open' });
  });
});

describe('the health of an account', () => {
  it('is that of all its clusters where they agree, and degraded where they do not', () => {
    const healths = healthsOf([['sick', 'half-open']]);
    expect(healths.ofAccount().state).toBe('unknown');
    healths.note(call('sick', 'vendor_unavailable'));
    expect(healths.ofAccount()).toMatchObject({ state: 'down', breaker: 'half-open' });
    healths.note(call('well', 'ok'));
    expect(healths.ofAccount()).toMatchObject({ state: 'degraded', breaker: 'half-open', latencyMs: 12 });
    expect(healths.ofCluster('well').state).toBe('ok');
  });
});
