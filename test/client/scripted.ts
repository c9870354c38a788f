/** A server that answers by a script, and remembers what it was asked; and a clock that needs no time. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Scripted {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

/** `cut`: the connection ends without an answer. `hang`: it never comes. */
export type Step = Scripted | 'cut' | 'hang';

export const startScripted = async (answer: (asked: Asked, count: number) => Step) => {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    const one = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
    asked.push(one);
    const step = answer(one, asked.length);
    if (step === 'hang') return;
    if (step === 'cut') {
      request.socket.destroy();
      return;
    }
    const content = step.body === undefined || typeof step.body === 'string' ? step.body : JSON.stringify(step.body);
    const type = step.status >= 400 ? 'application/problem+json' : 'application/json';
    response.writeHead(step.status, { 'content-type': type, ...step.headers });
    response.end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: (): void => {
      server.close();
      server.closeAllConnections();
    },
  };
};

export const problem = (status: number, code: string, more: object = {}): Scripted => ({
  status,
  body: {
    type: `/problems/${code}`,
    title: code,
    status,
    detail: `It is ${code}.`,
    instance: '/',
    code,
    requestId: 'r-1',
    retryable: true,
    ...more,
  },
});

/** Pauses are over at once, and are kept. */
export const fakeTiming = () => {
  const pauses: number[] = [];
  let passed = 0;
  return {
    pauses,
    now: () => performance.now() + passed,
    sleep: async (ms: number, signal: AbortSignal | undefined): Promise<void> => {
      signal?.throwIfAborted();
      pauses.push(ms);
      passed += ms;
    },
  };
};
