import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Clock, systemClock } from '../../src/clock.js';
import { type Effect, GatewayError } from '../../src/errors.js';
import { createHttpClient, type HttpResponse } from '../../src/vendor/client.js';
import { createVendorClock } from '../../src/vendor/clock.js';
import { createLines } from '../../src/vendor/lines.js';
import { createPolicy } from '../../src/vendor/policy.js';
import { createTransport } from '../../src/vendor/transport.js';
import { scaledClock } from '../support/fast-clock.js';

const transport = createTransport('test');
const policyOf = (clock: Clock) => createPolicy(createLines(clock), clock);
const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
const serve = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};
const get = (url: string): Promise<HttpResponse> => transport({ method: 'GET', url, headers: {} }, AbortSignal.timeout(5_000));

describe('the transport', () => {
  it('follows no redirect', async () => {
    const seen: string[] = [];
    const url = await serve((request, response) => {
      seen.push(request.url ?? '');
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    expect((await get(`${url}/api/user`)).status).toBe(307);
    expect(seen).toEqual(['/api/user']);
  });

  it('takes 407 for an answer, and sends a URL as it is', async () => {
    let seen = '';
    const url = await serve((request, response) => {
      seen = request.url ?? '';
      response.writeHead(407).end('{"Code":"NotAuthorized"}');
    });
    expect(await get(`${url}/?a=%21%27%28%29%2A~&s=%252B`)).toMatchObject({ status: 407, body: '{"Code":"NotAuthorized"}' });
    expect(seen).toBe('/?a=%21%27%28%29%2A~&s=%252B');
  });

  it('tells a cut body from one that is too large', async () => {
    const cut = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"a":', () => response.destroy());
    });
    await expect(get(cut)).rejects.toMatchObject({ code: 'vendor_unavailable', effect: 'open' });
    const endless = await serve((_, response) => void response.end(Buffer.alloc(17 * 1024 * 1024)));
    await expect(get(endless)).rejects.toMatchObject({ code: 'vendor_bad_response' });
  });
});

describe('the transport and the environment', () => {
  it('does not go through a proxy that the environment names', async () => {
    const seen: string[] = [];
    const proxy = await serve((request, response) => {
      seen.push(request.url ?? '');
      response.end();
    });
    const url = await serve((_, response) => void response.end('direct'));
    process.env['http_proxy'] = proxy;
    try {
      expect((await get(url)).body).toBe('direct');
    } finally {
      delete process.env['http_proxy'];
    }
    expect(seen).toEqual([]);
  });
});

describe('the policy', () => {
  const signal = AbortSignal.timeout(60_000);
  const down = (effect: Effect = 'open', retryAfterMs = 1) =>
    new GatewayError('vendor_unavailable', 'down', { effect, retryAfterMs });
  /** Fails with these, one after the other, then succeeds. */
  const failing = (...failures: readonly GatewayError[]) => {
    let calls = 0;
    const attempt = async () => {
      const failure = failures[calls++];
      if (failure) throw failure;
      return calls;
    };
    return { attempt, calls: () => calls };
  };

  it('sends a read up to three times', async () => {
    const policy = policyOf(scaledClock(100));
    await expect(
      policy(failing(down(), down()).attempt, { kind: 'read', action: 'Act', call: { requestId: 'r', signal } }),
    ).resolves.toBe(3);
    const always = failing(down(), down(), down(), down());
    await expect(policy(always.attempt, { kind: 'read', action: 'Act', call: { requestId: 'r', signal } })).rejects.toMatchObject(
      {
        code: 'vendor_unavailable',
      },
    );
    expect(always.calls()).toBe(3);
  });

  it('does not wait long for a read', async () => {
    const policy = policyOf(scaledClock(100));
    const patient = failing(down('none', 3_600_000));
    await expect(
      policy(patient.attempt, { kind: 'read', action: 'Act', call: { requestId: 'r', signal } }),
    ).rejects.toMatchObject({
      retryAfterMs: 3_600_000,
    });
    expect(patient.calls()).toBe(1);
  });

  it.each(['none', 'ended', 'open'] as const)('sends a write once, whatever its effect (%s)', async (effect) => {
    const once = failing(down(effect), down(effect));
    await expect(
      policyOf(scaledClock(100))(once.attempt, { kind: 'write', action: 'Act', call: { requestId: 'r', signal } }),
    ).rejects.toMatchObject({
      effect,
    });
    expect(once.calls()).toBe(1);
  });

  it('sends nothing after the deadline', async () => {
    const never = failing();
    const aborted = { kind: 'write', action: 'Act', call: { requestId: 'r', signal: AbortSignal.abort() } } as const;
    await expect(policyOf(scaledClock(100))(never.attempt, aborted)).rejects.toMatchObject({
      code: 'vendor_timeout',
      effect: 'none',
    });
    expect(never.calls()).toBe(0);
  });

  it('opens its breaker after ten failures, refuses without effect, and probes with one call', async () => {
    let now = 0;
    const policy = policyOf({ ...scaledClock(100), now: () => now });
    const write = { kind: 'write', action: 'Act', call: { requestId: 'r', signal } } as const;
    const dead = failing(...Array.from({ length: 20 }, () => down()));
    for (let call = 0; call < 10; call++) await expect(policy(dead.attempt, write)).rejects.toMatchObject({ effect: 'open' });
    const refused = { code: 'vendor_unavailable', effect: 'none', message: expect.stringContaining('circuit breaker is open') };
    await expect(policy(dead.attempt, write)).rejects.toMatchObject({ ...refused, retryAfterMs: 5_000 });
    now = 4_999;
    await expect(policy(dead.attempt, write)).rejects.toMatchObject({ ...refused, retryAfterMs: 1 });
    now = 5_000;
    const probes = await Promise.allSettled([policy(dead.attempt, write), policy(dead.attempt, write)]);
    expect(probes).toMatchObject([{ reason: { effect: 'open' } }, { reason: refused }]);
    expect(dead.calls()).toBe(11);
    await expect(policy(dead.attempt, write)).rejects.toMatchObject(refused);
    now = 10_000;
    await expect(policy(async () => 'ok', write)).resolves.toBe('ok');
    await expect(policy(async () => 'ok', write)).resolves.toBe('ok');
  });
});

describe('the clock of a vendor', () => {
  const NOW = new Date('2026-01-02T03:04:05.000Z');
  const HOUR = 3_600_000;
  const skewed = new GatewayError('vendor_clock_skew', 'skewed');

  /** A vendor that takes times within a minute of its own. */
  const vendor = (vendorTime: () => Date, dateHeader = () => vendorTime().toUTCString()) => {
    const frozen: Clock = { ...systemClock, now: () => NOW.getTime() };
    const clock = createVendorClock(frozen);
    let signed = NOW;
    const client = createHttpClient(
      async () => ({ status: 200, headers: { date: dateHeader() }, body: String(signed.getTime()) }),
      clock,
      frozen,
    );
    const call = () =>
      client.send(
        () => {
          signed = clock.now();
          return { method: 'GET', url: '', headers: {}, secrets: [] };
        },
        ({ body }) => {
          if (Math.abs(Number(body) - vendorTime().getTime()) > 60_000) throw skewed;
          return 'ok';
        },
        { kind: 'write', action: 'Act', call: { requestId: 'r', signal: AbortSignal.timeout(5_000) } },
      );
    return { clock, call };
  };

  it('is learned from a refusal, for all calls that were under way', async () => {
    const { call } = vendor(() => new Date(NOW.getTime() + HOUR));
    expect(await Promise.all(Array.from({ length: 8 }, call))).toEqual(Array(8).fill('ok'));
  });

  it('is not learned where nothing was refused: a wrong Date header harms nothing', async () => {
    const { call, clock } = vendor(
      () => NOW,
      () => new Date(NOW.getTime() + HOUR).toUTCString(),
    );
    for (let round = 0; round < 3; round++) expect(await call()).toBe('ok');
    expect(clock.now()).toEqual(NOW);
  });

  it('goes back where the correction is refused too', async () => {
    const { call, clock } = vendor(
      () => new Date(NOW.getTime() - HOUR),
      () => new Date(NOW.getTime() + HOUR).toUTCString(),
    );
    await expect(call()).rejects.toMatchObject({ code: 'vendor_clock_skew' });
    expect(clock.now()).toEqual(NOW);
  });
});
