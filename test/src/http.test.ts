import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Effect, GatewayError } from '../../src/errors.js';
import { createHttpClient, type HttpResponse } from '../../src/vendor/client.js';
import { createVendorClock } from '../../src/vendor/clock.js';
import { createPolicy } from '../../src/vendor/policy.js';
import { createTransport } from '../../src/vendor/transport.js';

const transport = createTransport('test');
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

  it('says that nothing was changed where no connection stood, and keeps the URL to itself', async () => {
    const url = await serve(() => undefined);
    const [server] = servers.splice(0);
    await new Promise((resolve) => server?.close(resolve));
    const failure = await get(`${url}/?password=hidden`).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'vendor_unavailable', effect: 'none' });
    expect(JSON.stringify(failure) + String((failure as Error).stack) + String((failure as Error).cause)).not.toContain('hidden');
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
  const failing = (...effects: Effect[]) => {
    const left = [...effects];
    return createPolicy()(
      async () => {
        throw new GatewayError('vendor_unavailable', 'down', { effect: left.shift() ?? 'none', retryAfterMs: 1 });
      },
      { replayable: true, signal: AbortSignal.timeout(5_000) },
    );
  };

  it.each([
    [['none', 'none', 'none'], 'none'],
    [['open', 'ended', 'none'], 'open'],
    [['none', 'open', 'ended'], 'open'],
    [['ended', 'none', 'none'], 'ended'],
  ] as const)('of several attempts with %j the worst counts', async (effects, effect) => {
    await expect(failing(...effects)).rejects.toMatchObject({ effect });
  });

  it('sends nothing twice that may have had an effect, unless it can be replayed', async () => {
    let sent = 0;
    const once = createPolicy()(
      async () => {
        sent++;
        throw new GatewayError('vendor_unavailable', 'down');
      },
      { replayable: false, signal: AbortSignal.timeout(5_000) },
    );
    await expect(once).rejects.toMatchObject({ effect: 'open' });
    expect(sent).toBe(1);
  });
});

describe('the clock of a vendor', () => {
  const NOW = new Date('2026-01-02T03:04:05.000Z');
  const HOUR = 3_600_000;
  const skewed = new GatewayError('vendor_clock_skew', 'skewed');

  /** A vendor that takes times within a minute of its own. */
  const vendor = (vendorTime: () => Date, dateHeader = () => vendorTime().toUTCString()) => {
    const clock = createVendorClock(() => NOW);
    let signed = NOW;
    const client = createHttpClient(
      async () => ({ status: 200, headers: { date: dateHeader() }, body: String(signed.getTime()) }),
      clock,
      () => NOW,
    );
    const call = () =>
      client.send(
        () => {
          signed = clock.now();
          return { method: 'GET', url: '', headers: {} };
        },
        ({ body }) => {
          if (Math.abs(Number(body) - vendorTime().getTime()) > 60_000) throw skewed;
          return 'ok';
        },
        { replayable: false, signal: AbortSignal.timeout(5_000) },
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

  it('is shown by quick answers, and not by slow ones', () => {
    let now = NOW.getTime();
    const clock = createVendorClock(() => new Date(now));
    clock.observe(new Date(now + HOUR).toUTCString(), new Date(now));
    expect(clock.vendorNow().getTime()).toBe(now + HOUR);
    const sentAt = new Date(now);
    now += 5_000;
    clock.observe(sentAt.toUTCString(), sentAt);
    expect(clock.vendorNow().getTime()).toBe(now + HOUR);
    clock.observe(new Date(now + 900).toUTCString(), new Date(now));
    expect(clock.vendorNow().getTime()).toBe(now);
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
