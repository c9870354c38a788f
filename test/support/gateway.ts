import { pino } from 'pino';
import { adapters } from '../../adapters/index.js';
import { createGateway } from '../../api/gateway.js';
import { type Clock, systemClock } from '../../src/clock.js';
import { checkConfig } from '../../src/config/load.js';
import type { OpenStore } from '../../src/store/open.js';
import { type Answer, assertDocumented } from './contract-check.js';
import { fastClock } from './fast-clock.js';

export interface RequestOptions {
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into JSON answers that were checked against the document
type Loose = any;

export type TestAnswer = Omit<Answer, 'body'> & { readonly body: Loose };

export interface TestGateway {
  readonly url: string;
  /** All that was logged, as text. */
  logged(): string;
  /** Sends a request and checks the answer against openapi.yaml. */
  request(method: string, path: string, options?: RequestOptions): Promise<TestAnswer>;
  get(path: string): Promise<TestAnswer>;
  post(path: string, body: unknown): Promise<TestAnswer>;
  stop(): Promise<void>;
}

const parse = (text: string): Loose => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

export interface GatewayOptions {
  /** How many times as fast as usual its clock runs. The simulators keep the real time, so that times of users must not matter then. */
  readonly speed?: number;
  /** Its clock, in place of `speed`: one that the simulators may share. */
  readonly clock?: Clock;
  /** Its store, in place of what `raw` says. */
  readonly opened?: OpenStore;
}

/** A gateway on a free port of 127.0.0.1. `raw` is what a configuration file would say. */
export const startGateway = async (raw: object, { speed, clock, opened }: GatewayOptions = {}): Promise<TestGateway> => {
  const lines: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
  const { server, ...rest } = raw as { server?: object };
  // Most tests change what vendors have behind the gateway's back.
  const config = checkConfig(
    { store: { kind: 'memory' }, cache: { seconds: 0 }, ...rest, server: { ...server, port: 0 } },
    adapters,
    {},
  );
  const gateway = createGateway(config, adapters, log, {
    clock: clock ?? (speed === undefined ? systemClock : fastClock(speed)),
    ...(opened && { opened }),
  });
  const url = await gateway.listen();

  const request = async (
    method: string,
    path: string,
    { body, raw: sent, headers }: RequestOptions = {},
  ): Promise<TestAnswer> => {
    const content = sent ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(`${url}${path}`, {
      method,
      redirect: 'manual',
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(content !== undefined && { body: content as string }),
    });
    const text = await response.text();
    const answer = { status: response.status, headers: response.headers, text, body: parse(text) };
    assertDocumented(method, path, answer);
    return answer;
  };

  return {
    url,
    logged: () => lines.join(''),
    request,
    get: (path) => request('GET', path),
    post: (path, body) => request('POST', path, { body }),
    stop: () => gateway.stop(),
  };
};
