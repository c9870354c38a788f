/** What one caller asks for takes neither the processor nor the memory of all: refusals have a pace, reads have turns. */
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createTurn } from '../../api/rest/security/pace.js';
import { createShares, type Share } from '../../api/rest/security/shares.js';
import { bothVendors, configOver } from '../support/both-vendors.js';
import { makeCaller } from '../support/callers.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { until } from '../support/wait.js';

const BURST = 200;
const STEP_MS = 10;

describe('the pace of refusals', () => {
  it('lets a burst through, and then one in ten milliseconds', () => {
    const turn = createTurn();
    const waits = Array.from({ length: BURST + 3 }, () => turn('one', 0));
    expect(waits.slice(0, BURST).every((ms) => ms === 0)).toBe(true);
    expect(waits.slice(BURST)).toEqual([STEP_MS, 2 * STEP_MS, 3 * STEP_MS]);
  });

  it('keeps nobody for more than ten seconds, however many there are', () => {
    const turn = createTurn();
    const waits = Array.from({ length: 5_000 }, () => turn('one', 0));
    expect(Math.max(...waits)).toBe(10_000);
    expect(turn('one', 10_000)).toBeLessThanOrEqual(STEP_MS);
  });

  it('is of each by itself', () => {
    const turn = createTurn();
    for (let at = 0; at < 1_000; at++) turn('one', 0);
    expect(turn('another', 0)).toBe(0);
  });

  it('forgives with time', () => {
    const turn = createTurn();
    for (let at = 0; at < BURST; at++) turn('one', 0);
    expect(turn('one', 0)).toBe(STEP_MS);
    const later = Array.from({ length: BURST + 1 }, () => turn('one', 60_000));
    expect([later[0], later.at(-2), later.at(-1)]).toEqual([0, 0, STEP_MS]);
  });
});

describe('a share of the reads', () => {
  const ofUsers: Share = { caller: 'one', place: 'ali', limit: 50, call: { signal: new AbortController().signal } };
  const ofMany: Share = { ...ofUsers, limit: 1_000 };

  /** Work that ends when the test says so. */
  const works = () => {
    const running: (() => void)[] = [];
    let begun = 0;
    const work = (): Promise<string> => {
      begun++;
      return new Promise((resolve) => running.push(() => resolve('done')));
    };
    return { work, begun: () => begun, finish: () => running.shift()?.() };
  };
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it.each([
    ['of few things', ofUsers, 64],
    ['of many things', ofMany, 3],
  ])('is so many at work at once, %s, and the next one begins when one ends', async (_, share, atOnce) => {
    const shares = createShares();
    const { work, begun, finish } = works();
    const all = Array.from({ length: atOnce + 2 }, () => shares(share, work));
    await settle();
    expect(begun()).toBe(atOnce);
    finish();
    await settle();
    expect(begun()).toBe(atOnce + 1);
    for (let at = 0; at < atOnce + 2; at++) {
      finish();
      await settle();
    }
    expect(await Promise.all(all)).toEqual(all.map(() => 'done'));
  });

  it.each([
    ['other callers', { ...ofMany, caller: 'another' }],
    ['other places', { ...ofMany, place: 'jinan' }],
    ['small ones', ofUsers],
  ])('is not that of %s', async (_, other) => {
    const shares = createShares();
    const { work, begun } = works();
    for (let at = 0; at < 20; at++) shares(ofMany, work).catch(() => undefined);
    await settle();
    const before = begun();
    shares(other, work).catch(() => undefined);
    await settle();
    expect(begun()).toBe(before + 1);
  });

  it('is waited for ten seconds; what was refused is not begun later', async () => {
    const shares = createShares();
    const { work, begun, finish } = works();
    const running = Array.from({ length: 3 }, () => shares(ofMany, work));
    const late = expect(shares(ofMany, work)).rejects.toMatchObject({ code: 'too_busy', retryable: true });
    await settle();
    jest.advanceTimersByTime(10_000);
    await late;
    for (let at = 0; at < 3; at++) finish();
    await Promise.all(running);
    await settle();
    expect(begun()).toBe(3);
    const next = shares(ofMany, work);
    await settle();
    finish();
    expect(await next).toBe('done');
  });

  it('is not waited for by somebody who has left', async () => {
    const shares = createShares();
    const { work, begun } = works();
    for (let at = 0; at < 3; at++) shares(ofMany, work).catch(() => undefined);
    const leaving = new AbortController();
    const waiting = expect(shares({ ...ofMany, call: leaving }, work)).rejects.toMatchObject({ code: 'too_busy' });
    const gone = expect(shares({ ...ofMany, call: { signal: AbortSignal.abort() } }, work)).rejects.toMatchObject({
      code: 'too_busy',
    });
    await settle();
    leaving.abort();
    await waiting;
    await gone;
    expect(begun()).toBe(3);
  });

  it('is given back by work that fails', async () => {
    const shares = createShares();
    for (let at = 0; at < 20; at++) await expect(shares(ofMany, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  });
});

describe('a caller who asks too much', () => {
  const stage = bothVendors();
  const greedy = makeCaller('greedy');
  const modest = makeCaller('modest');
  let gateway: TestGateway;
  const sockets: Socket[] = [];

  /** Sends the next request as soon as there is an answer. @returns the last answer, and whether the connection has ended */
  const askOn = (authorization: string) => {
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    sockets.push(socket);
    const state = { last: '', isClosed: false };
    const send = (): void => {
      socket.write(`GET /vendors HTTP/1.1\r\nHost: localhost\r\n${authorization}\r\n`);
    };
    socket.on('data', (chunk) => {
      state.last = chunk.toString('latin1');
      send();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      state.isClosed = true;
    });
    socket.once('connect', send);
    return state;
  };

  beforeEach(async () => {
    const raw = configOver(stage);
    const auth = { callers: [{ ...greedy.config, limits: { requestsPerCallerPerMinute: 3 } }, modest.config] };
    gateway = await startGateway({ ...raw, auth, limits: { maxConnections: 30, maxRequestsInFlight: 20 } });
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await gateway.stop();
  });

  it.each([
    ['with a key', `Authorization: Bearer ${greedy.key}\r\n`, 429],
    ['without one, from one address', '', 401],
  ])('waits for the refusals, and loses the connection, while others are served: %s', async (_, authorization, status) => {
    const asking = Array.from({ length: 30 }, () => askOn(authorization));
    await until(() => asking.every(({ isClosed }) => isClosed));
    for (const { last } of asking) {
      expect(last).toContain(`HTTP/1.1 ${status} `);
      expect(last).toMatch(/^connection: close/im);
    }
    // They have all the places there are, and none is idle.
    for (let sent = 0; sent < 30; sent++) askOn(authorization);
    expect((await gateway.request('GET', '/vendors', { headers: modest.headers })).status).toBe(200);
  });

  it('takes no places of others while it waits', async () => {
    const authorization = `Authorization: Bearer ${greedy.key}\r\n`;
    const asking = Array.from({ length: 30 }, () => askOn(authorization));
    await until(() => asking.every(({ isClosed }) => isClosed));
    // More than there are places in flight wait now.
    for (let sent = 0; sent < 25; sent++) askOn(authorization);
    await until(async () => (await gateway.request('GET', '/vendors', { headers: modest.headers })).status === 200);
  });

  it('holds up no end of the gateway', async () => {
    await gateway.stop();
    const raw = configOver(stage);
    gateway = await startGateway({ ...raw, server: { ...raw.server, drainSeconds: 60 }, auth: { callers: [modest.config] } });
    const asking = Array.from({ length: 30 }, () => askOn(''));
    await until(() => asking.every(({ isClosed }) => isClosed));
    // The last of them would wait for some seconds.
    for (let sent = 0; sent < 500; sent++) askOn('');
    await until(() => sockets.every(({ connecting }) => !connecting));
    await new Promise((resolve) => setTimeout(resolve, 500));
    const since = performance.now();
    await gateway.stop();
    expect(performance.now() - since).toBeLessThan(3_000);
    gateway = await startGateway(configOver(stage));
  });
});
