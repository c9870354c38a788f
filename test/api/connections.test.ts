/** Connections, whatever their clients do; with an application that answers when the test says so. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { HELD } from '../../api/net/connections.js';
import { type Listener, listen } from '../../api/net/listener.js';
import { until } from '../support/wait.js';

interface Begun {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

const serve = async ({ max = 10, sendMs = 60_000 } = {}) => {
  const begun: Begun[] = [];
  const listener: Listener = await listen((request, response) => void begun.push({ request, response }), {
    host: '127.0.0.1',
    port: 0,
    tls: undefined,
    sendMs,
    answerMs: 60_000,
    maxConnections: max,
    keepAliveMs: 65_000,
    publicUrl: undefined,
  });
  cleanups.push(() => listener.connections.destroy());
  const at = (index: number): Begun => begun[index] as Begun;
  const dial = async () => {
    const socket = connect(Number(new URL(listener.url).port), '127.0.0.1');
    const state = { received: '', isClosed: false };
    socket.on('data', (chunk) => {
      state.received += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      state.isClosed = true;
    });
    cleanups.push(() => socket.destroy());
    await once(socket, 'connect');
    return Object.assign(state, { socket });
  };
  return { listener, begun, at, dial };
};

const GET = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const PART_OF_BODY = 'POST /late HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\npart';
const statuses = (text: string): string[] => text.match(/HTTP\/1\.1 \d+/g) ?? [];

describe('requests of one connection', () => {
  it('are at work one after the other', async () => {
    const { begun, at, dial } = await serve();
    const client = await dial();
    client.socket.write(GET('/1') + GET('/2') + GET('/3'));
    for (let index = 0; index < 3; index++) {
      await until(() => begun.length > index);
      expect(begun.map(({ request }) => request.url)).toEqual(['/1', '/2', '/3'].slice(0, index + 1));
      at(index).response.end(`answer ${index}`);
    }
    await until(() => client.received.includes('answer 2'));
  });

  it('are not read beyond those that wait, and are read on afterwards', async () => {
    const { begun, at, dial } = await serve();
    const client = await dial();
    client.socket.write(GET('/1') + GET('/2'));
    await until(() => begun.length === 1);
    for (let sent = 0; sent < 15; sent++) {
      client.socket.write(GET(`/more/${sent}`));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    // More than may wait in the process.
    for (let index = 0; index < 17; index++) {
      await until(() => begun.length > index);
      at(index).response.end();
    }
    await until(() => statuses(client.received).length === 17);
    expect(client.isClosed).toBe(false);
  });

  it('are dropped when their caller leaves', async () => {
    const { listener, begun, dial } = await serve();
    const client = await dial();
    client.socket.write(GET('/1') + GET('/2'));
    await until(() => begun.length === 1);
    client.socket.destroy();
    begun[0]?.response.end();
    await listener.connections.close();
    expect(begun).toHaveLength(1);
  });
});

describe('a request that does not arrive as a whole', () => {
  it.each([
    ['a body that stops', PART_OF_BODY],
    ['a head that stops', 'GET /late HTTP/1.1\r\nHost'],
    ['no HTTP', 'nonsense\r\n\r\n'],
  ])('takes no answer from the one before it: %s', async (_, late) => {
    const { begun, at, dial, listener } = await serve({ sendMs: 300 });
    const client = await dial();
    client.socket.write(GET('/first') + late);
    await until(() => begun.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    at(0).response.end('the answer');
    await until(() => client.isClosed);
    expect(statuses(client.received)).toEqual(['HTTP/1.1 200']);
    expect(client.received).toContain('the answer');
    expect(begun).toHaveLength(1);
    await listener.connections.close();
  });

  it('leaves nothing behind where the connection is not read', async () => {
    const { begun, dial } = await serve({ max: 1, sendMs: 300 });
    const client = await dial();
    client.socket.write(PART_OF_BODY);
    await until(() => begun.length === 1);
    begun[0]?.request.socket.pause();
    await until(() => client.received !== '');
    expect(statuses(client.received)).toEqual(['HTTP/1.1 408']);
    client.socket.destroy();
    // Its place is free again.
    await until(async () => {
      (await dial()).socket.write(GET('/next'));
      await new Promise((resolve) => setTimeout(resolve, 200));
      return begun.length === 2;
    });
  });
});

describe('the last place', () => {
  it('is given up by one that waits to be refused, before those that are idle', async () => {
    const { begun, at, dial } = await serve({ max: 3 });
    const idle = await dial();
    const refused = await dial();
    refused.socket.write(GET('/refused'));
    await until(() => begun.length === 1);
    at(0).response.emit(HELD);
    const young = await dial();
    const fresh = await dial();
    await until(() => refused.isClosed);
    fresh.socket.write(GET('/fresh'));
    await until(() => begun.length === 2);
    at(1).response.end('served');
    await until(() => fresh.received.includes('served'));
    expect([idle.isClosed, young.isClosed]).toEqual([false, false]);
  });
});
