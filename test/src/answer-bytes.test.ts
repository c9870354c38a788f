/** Answers of vendors are bounded together. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../src/clock.js';
import { createAnswerBytes } from '../../src/vendor/answer-bytes.js';
import { createHttpClient } from '../../src/vendor/client.js';
import { createVendorClock } from '../../src/vendor/clock.js';
import { createTransport } from '../../src/vendor/transport.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('answers at once', () => {
  it('beyond the bound cost the largest of them', async () => {
    const bytes = createAnswerBytes(100);
    const [large, small] = [new PassThrough(), new PassThrough()];
    const givenUp: string[] = [];
    bytes.count(large, () => givenUp.push('large'));
    bytes.count(small, () => givenUp.push('small'));
    large.write(Buffer.alloc(80));
    small.write(Buffer.alloc(30));
    await turn();
    await turn();
    expect(givenUp).toEqual(['large']);
    expect([large.destroyed, small.destroyed]).toEqual([true, false]);
  });

  it('that were given back do not count', async () => {
    const bytes = createAnswerBytes(100);
    for (let count = 0; count < 5; count++) {
      const answer = new PassThrough();
      const release = bytes.count(answer, () => undefined);
      answer.write(Buffer.alloc(80));
      await turn();
      release();
      release();
      expect(answer.destroyed).toBe(false);
    }
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
        { kind: 'write', action: 'Get', signal: AbortSignal.timeout(10_000) },
      );
    await expect(send('/large')).rejects.toMatchObject({ code: 'too_busy', retryable: true, effect: 'open' });
    for (let count = 0; count < 3; count++) expect(await send('/small')).toBe(10);
    transport.close();
  });
});
