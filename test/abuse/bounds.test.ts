import { describe, expect, it, test } from '@jest/globals';
import { BOUNDS, exitCodeOf, isRecovered, isWithinBounds, type Quiet, type Recovery } from '../../abuse/bounds.js';
import { latenciesOf } from '../../abuse/latencies.js';
import { PATIENCE_MS, type Sample } from '../../abuse/legitimate.js';
import { readOptions } from '../../abuse/options.js';
import { connectionsTo, cpuOf, maxFiles, rssOf } from '../../abuse/usage.js';

const sample = (ms: number, status: number | string = 200, path = 'GET /healthz'): Sample => ({
  at: 0,
  ms,
  status,
  path,
  connection: 'kept',
});
const good = { requests: 60, errors: {}, p50: 5, p99: 40, max: 50 };
const quiet: Quiet = { rss: 1, legitimate: good, longestGapMs: 5 };

describe('latenciesOf', () => {
  it('takes percentiles of unsorted samples', () => {
    const samples = Array.from({ length: 200 }, (_, at) => sample(200 - at));
    expect(latenciesOf(samples)).toEqual({ requests: 200, errors: {}, p50: 100, p99: 198, max: 200 });
    expect(latenciesOf([])).toEqual({ requests: 0, errors: {}, p50: 0, p99: 0, max: 0 });
  });

  it('counts what failed by status and request', () => {
    const path = 'PUT /clusters/c/users/u0001/password';
    const samples = [
      sample(1),
      sample(PATIENCE_MS, 503, path),
      sample(PATIENCE_MS, 503, path.replace('1', '2')),
      sample(1, 'timeout'),
    ];
    expect(latenciesOf(samples).errors).toEqual({ '503 PUT /clusters/c/users/*/password': 2, 'timeout GET /healthz': 1 });
  });
});

describe('bounds', () => {
  const recovery: Recovery = { legitimate: good, rssOverIdle: 0, connections: 2 };

  test.each<[string, Partial<Recovery>, boolean]>([
    ['all as before', {}, true],
    ['connections that cannot be counted', { connections: undefined }, true],
    ['no request', { legitimate: { ...good, requests: 0 } }, false],
    ['an error', { legitimate: { ...good, errors: { '503 GET /': 1 } } }, false],
    ['a slow request', { legitimate: { ...good, p99: BOUNDS.p99Ms } }, false],
    ['a slow median', { legitimate: { ...good, p50: 45 } }, false],
    ['memory', { rssOverIdle: BOUNDS.rssBytes }, false],
    ['connections', { connections: BOUNDS.connections + 1 }, false],
  ])('recovered: %s', (_, change, expected) => {
    expect(isRecovered({ ...recovery, ...change }, quiet)).toBe(expected);
  });

  test.each([
    ['all', {}, true],
    ['latency', { legitimate: { ...good, p99: 500 } }, false],
    ['memory', { rssPeakOverIdle: 150 * 1024 * 1024 }, false],
    ['no recovery', { recovered: false }, false],
    ['no request', { legitimate: { ...good, requests: 0 } }, false],
  ])('within bounds: %s', (_, change, expected) => {
    expect(isWithinBounds({ legitimate: good, rssPeakOverIdle: 0, recovered: true, ...change })).toBe(expected);
  });
});

test.each([
  [[], 1],
  [[true], 0],
  [[true, true], 0],
  [[true, false], 1],
])('%j exits with %i', (held, code) => {
  expect(exitCodeOf(held.map((isWithinBounds) => ({ isWithinBounds })))).toBe(code);
});

/** `ps` counts whole seconds. */
const CLOCK_SECONDS = process.platform === 'linux' ? 0.3 : 1.1;

describe('usage', () => {
  it('sees memory, time and files of a process', () => {
    const ratio = (rssOf(process.pid) ?? 0) / process.memoryUsage.rss();
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
    const { user, system } = process.cpuUsage();
    expect(Math.abs(cpuOf(process.pid) - (user + system) / 1e6)).toBeLessThan(CLOCK_SECONDS);
    expect(maxFiles()).toBeGreaterThan(100);
  });

  it('counts no connections to a port that nobody listens on', () => {
    expect(connectionsTo(1) ?? 0).toBe(0);
  });
});

describe('options', () => {
  it('runs all attacks on both stores, the flood last', () => {
    const { attacks, stores, isQuick, jsonFile } = readOptions([]);
    expect([attacks.length, attacks.at(-1), stores, isQuick, jsonFile]).toEqual([
      12,
      'flood',
      ['memory', 'lmdb'],
      false,
      undefined,
    ]);
    const chosen = readOptions(['flood', 'slow-body', '--store', 'lmdb', '--quick', '--json', 'f']);
    expect(chosen).toEqual({ attacks: ['slow-body', 'flood'], stores: ['lmdb'], isQuick: true, jsonFile: 'f' });
  });

  test.each([[['slow']], [['--store', 'redis']], [['--fast']]])('%j is refused', (args) => {
    expect(() => readOptions(args)).toThrow();
  });
});
