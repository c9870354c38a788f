/** One HTTP request and its answer over undici: kept connections, nothing is repeated, nobody is followed elsewhere. */
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { Agent, type buildConnector, type Dispatcher } from 'undici';
import type { AnswerBytes } from './answer-bytes.js';
import type { Connector } from './connector.js';

/** How far a request came. `sent`: it had an established connection, new or reused, so the vendor may have seen it. */
export type Stage = 'building' | 'connecting' | 'sent';

export interface Exchange {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly signal: AbortSignal;
  mayLeave(): boolean;
}

export interface Progress {
  stage: Stage;
  /** Its connection was used before. */
  isReused: boolean;
  socket?: Socket;
  hasAnswer: boolean;
  /** Gives the bytes of the answer back. */
  release(): void;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** The `code`s of errors of ours. */
export const HELD_BACK = 'HELD_BACK';
export const TOO_LARGE = 'TOO_LARGE';
export const CROWDED = 'CROWDED';
const ABORTED = 'ABORTED';

/** Connections that nobody uses are closed before most vendors do, who are believed where they say when. */
const KEEP_ALIVE_MS = 20_000;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** Before a text in UTF-8, where it says nothing. */
const MARK = /^\ufeff/;

const failed = (code: string): Error => Object.assign(new Error(code), { code });

/** The request that is being written, from its beginning to the channel's word of it, with nothing in between. */
let beginning: Progress | undefined;
const used = new WeakSet<object>();
subscribe('undici:client:sendHeaders', (message) => {
  if (!beginning) return;
  const { socket } = message as { readonly socket: Socket };
  beginning.socket = socket;
  beginning.isReused = used.has(socket);
  used.add(socket);
  beginning = undefined;
});

export interface Exchanges {
  /** @throws an error with a `code`, or undici's; what `progress` says then is how far it came */
  run(exchange: Exchange, progress: Progress): Promise<Answer>;
  /** Connections that nobody uses are not used again. */
  dropIdle(): void;
  close(): void;
}

const newAgent = (connect: buildConnector.connector): Agent =>
  new Agent({ connect, pipelining: 1, headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: KEEP_ALIVE_MS });

const originOf = (url: string): string => {
  const at = url.indexOf('/', url.indexOf('://') + 3);
  return at === -1 ? url : url.slice(0, at);
};

export const createExchanges = (connectFor: Connector, answerBytes: AnswerBytes): Exchanges => {
  /** Of the request that is being dispatched: a connection that is begun then is for it, and ends with it. */
  let wanted: AbortSignal | undefined;
  const connect: buildConnector.connector = (target, callback) => connectFor(target, callback, wanted);
  let agent = newAgent(connect);
  const agents = new Set([agent]);

  const run: Exchanges['run'] = ({ method, url, headers, body, signal, mayLeave }, progress) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) throw failed(ABORTED);
      let controller: Dispatcher.DispatchController | undefined;
      let giveUpWith: Error | undefined;
      const giveUp = (reason: Error): void => {
        giveUpWith ??= reason;
        reject(giveUpWith);
        // undici would connect again for a request that it aborts.
        if (progress.socket) progress.socket.destroy(giveUpWith);
        else controller?.abort(giveUpWith);
      };
      const onAbort = (): void => giveUp(failed(ABORTED));
      const over = (): void => signal.removeEventListener('abort', onAbort);
      const bytes = answerBytes.begin(() => giveUp(failed(CROWDED)));
      progress.release = bytes.release;
      const chunks: Buffer[] = [];
      let size = 0;
      let status = 0;
      let answered: IncomingHttpHeaders = {};

      signal.addEventListener('abort', onAbort, { once: true });
      const origin = originOf(url);
      wanted = signal;
      try {
        agent.dispatch(
          { origin, path: url.slice(origin.length) || '/', method: method as Dispatcher.HttpMethod, headers, body: body ?? null },
          {
            onRequestStart: (begun) => {
              controller = begun;
              // A second beginning would be a second request.
              if (progress.stage === 'building') progress.stage = 'connecting';
              if (!giveUpWith && (progress.stage === 'sent' || !mayLeave())) giveUp(failed(HELD_BACK));
              if (giveUpWith) {
                begun.abort(giveUpWith);
                return;
              }
              progress.stage = 'sent';
              beginning = progress;
            },
            onResponseStart: (_, statusCode, given) => {
              progress.hasAnswer = true;
              status = statusCode;
              answered = given;
            },
            onResponseData: (_, chunk) => {
              size += chunk.length;
              if (size > MAX_ANSWER_BYTES) giveUp(failed(TOO_LARGE));
              else if (!giveUpWith) {
                chunks.push(chunk);
                bytes.add(chunk.length);
              }
            },
            onResponseEnd: () => {
              over();
              bytes.arrived();
              resolve({ status, headers: answered, body: Buffer.concat(chunks).toString('utf8').replace(MARK, '') });
            },
            onResponseError: (_, error) => {
              over();
              giveUpWith ??= error;
              reject(giveUpWith);
            },
          },
        );
      } finally {
        wanted = undefined;
      }
      if (progress.stage === 'building' && !giveUpWith) progress.stage = 'connecting';
    });

  return {
    run,
    dropIdle: () => {
      const before = agent;
      agent = newAgent(connect);
      agents.add(agent);
      before.close().then(
        () => agents.delete(before),
        () => agents.delete(before),
      );
    },
    close: () => {
      for (const each of agents) each.destroy().catch(() => undefined);
    },
  };
};
