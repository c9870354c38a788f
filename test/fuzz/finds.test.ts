/** The test of the test: a gateway that answers some requests wrongly is found out within the quick run. */

import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exchange } from '../support/wire.js';
import { createTally, explore } from './run.js';
import { DEADLINE_MS, startWorld, type World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await startWorld('memory');
});
afterAll(() => world.close());

type Twist = (request: string, answer: string) => string;

/** Passes requests on, and answers as the twist says. A request is over when nothing more of it comes. */
const startTwisted = async (twist: Twist): Promise<Server> => {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    const parts: Buffer[] = [];
    let timer: NodeJS.Timeout | undefined;
    const pass = async (halfClose: boolean): Promise<void> => {
      clearTimeout(timer);
      const request = Buffer.concat(parts);
      const { bytes } = await exchange(world.url, [request], { halfClose });
      socket.end(Buffer.from(twist(request.toString('latin1'), bytes.toString('latin1')), 'latin1'));
    };
    socket.on('data', (part) => {
      parts.push(part);
      clearTimeout(timer);
      timer = setTimeout(() => void pass(false), QUIET_MS);
    });
    socket.on('end', () => {
      if (!socket.writableEnded) void pass(true);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
};

const QUIET_MS = 5;
const REQUESTS = 1_000;

const TWISTS: readonly (readonly [string, Twist, RegExp])[] = [
  [
    'an undocumented status of one operation',
    (request, answer) => (request.startsWith('GET /vendors') ? answer.replace(' 200 ', ' 203 ') : answer),
    /status that is not documented/,
  ],
  [
    'a 500 for one name of a member',
    (request, answer) => (request.includes('__proto__') ? answer.replace(/^HTTP\/1.1 4../, 'HTTP/1.1 500') : answer),
    /internal_error|says the status|is invalid_request/,
  ],
  [
    'a member that no schema has',
    (request, answer) => (/^GET \/operations\b/.test(request) ? answer.replace('"nextCursor"', '"nextcursor"') : answer),
    /breaks/,
  ],
  ['Retry-After of nothing', (_, answer) => answer.replace(/Retry-After: \d+/, 'Retry-After: 0'), /Retry-After: 0/],
  ['a second answer', (request, answer) => (request.startsWith('PUT') ? `${answer}${answer}` : answer), /2 answers/],
];

describe('what is found', () => {
  it.each(TWISTS)('%s', async (_, twist, message) => {
    const server = await startTwisted(twist);
    const { port } = server.address() as AddressInfo;
    try {
      const found = await explore(
        { ...world, url: `http://127.0.0.1:${port}` },
        {
          circumstances: { deadlineMs: DEADLINE_MS, isFaulty: false },
          tally: createTally(),
          requests: REQUESTS,
          from: { seed: 1 },
          maxShrinkingMs: 500,
        },
      );
      expect(found).toMatch(message);
      expect(found).toMatch(/TEST_SEED=\d+\/[\d:]+/);
      expect(found).toContain('curl -sSi');
    } finally {
      server.close();
    }
  });
});
