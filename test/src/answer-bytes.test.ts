/** Answers of vendors are bounded together. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../src/clock.js';
import { createAnswerBytes } from '../../src/vendor/answer-bytes.js';
import { createHttpClient } from '../../src/vendor/client.js';
import { createVendorClock } from '../../src/vendor/clock.js';
import { createTransport } from '../../src/vendor/transport.js';

describe('answers at once', () => {
  it('beyond the bound cost the largest of them that has not arrived', () => {
    const bytes = createAnswerBytes(100);
    const givenUp: string[] = [];
    const [there, large, small] = ['there', 'large', 'small'].map((name) => bytes.begin(() => givenUp.push(name)));
    there?.add(60);
    there?.arrived();
    large?.add(30);
    small?.add(20);
    expect(givenUp).toEqual(['large']);
    large?.release();
    small?.add(10);
    expect(givenUp).toEqual(['large']);
  });

  it('that were given back do not count', () => {
    const bytes = createAnswerBytes(100);
    let givenUp = 0;
    for (let count = 0; count < 5; count++) {
      const { add, release } = bytes.begin(() => givenUp++);
      add(80);
      release();
      release();
      add(80);
    }
    expect(givenUp).toBe(0);
  });
});

describe('a call whose answer was given up for others', () => {
  let server: Server;
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('is too_busy, retryable, and open; the next one is answered', async () => {
    server = createServer((request, response) => response.end(Buffer.alloc(request.url === '/large' ? 200_000 : 10, 'x')));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const transport = createTransport('test', { answerBytes: createAnswerBytes(100_000) });
    const http = createHttpClient(transport, createVendorClock(systemClock), systemClock);
    const send = (path: string) =>
      http.send(
        () => ({ method: 'GET', url: `http://127.0.0.1:${port}${path}`, headers: {}, secrets: [] }),
        ({ body }) => body.length,
        { kind: 'write', action: 'Get', call: { requestId: 'r', signal: AbortSignal.timeout(10_000) } },
      );
    await expect(send('/large')).rejects.toMatchObject({ code: 'too_busy', retryable: true, effect: 'open' });
    for (let count = 0; count < 3; count++) expect(await send('/small')).toBe(10);
    transport.close();
  });
});
