/** The caller whom the gateway has to serve all the time. */
import { Agent, request } from 'node:http';
import type { Target } from './types.js';
import { WRITTEN_USERS } from './vendors.js';

const EVERY_MS = 50;
/** A request without an answer by then counts as one that took so long, and so does a failed one. */
export const PATIENCE_MS = 5_000;
/** One write a second, at 20 requests a second. */
const ROUND = 20;
const READS = ['/clusters/ehpc/users?limit=10', '/operations', '/healthz'] as const;

export interface Sample {
  readonly at: number;
  readonly ms: number;
  /** The status, or why there is none: `timeout`, or the code of an error. */
  readonly status: number | string;
  readonly path: string;
  readonly connection: 'fresh' | 'kept';
}

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
}

const isSuccess = (status: number | string): boolean => typeof status === 'number' && status >= 200 && status < 300;

export const isGood = ({ status }: Sample): boolean => isSuccess(status);

/** One request; never rejects. */
export const timed = (target: Target, { method, path, body }: Request, agent: Agent | false): Promise<Sample> =>
  new Promise((resolve) => {
    const at = performance.now();
    const connection = agent === false ? 'fresh' : 'kept';
    const [name, value] = target.authorization.split(': ');
    const headers = {
      ...(name && value && { [name]: value }),
      ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    };
    const finish = (status: number | string): void => {
      clearTimeout(patience);
      resolve({
        at,
        ms: isSuccess(status) ? performance.now() - at : PATIENCE_MS,
        status,
        path: `${method} ${path}`,
        connection,
      });
    };
    const call = request({ host: target.host, port: target.port, method, path, headers, agent }, (answer) => {
      answer.resume();
      answer.once('end', () => finish(answer.statusCode ?? 0));
      answer.once('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
    });
    const patience = setTimeout(() => {
      finish('timeout');
      call.destroy();
    }, PATIENCE_MS);
    call.once('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
    call.end(body);
  });

const requestAt = (turn: number): Request => {
  if (turn % ROUND !== 0) return { method: 'GET', path: READS[turn % READS.length] ?? '/healthz' };
  const username = `u${String((turn / ROUND) % WRITTEN_USERS).padStart(4, '0')}`;
  return { method: 'PUT', path: `/clusters/shanhe/users/${username}/password`, body: `{"password":"Choose@Your0wn${turn}"}` };
};

export interface Client {
  readonly samples: readonly Sample[];
  stop(): Promise<void>;
}

/** Sends at its pace whether answers come or not, every second request on a fresh connection. */
export const startClient = (target: Target): Client => {
  const samples: Sample[] = [];
  const kept = new Agent({ keepAlive: true, maxFreeSockets: 4 });
  const pending = new Set<Promise<void>>();
  let turn = 0;
  const timer = setInterval(() => {
    const isFresh = Math.floor(turn / READS.length) % 2 === 0;
    const one = timed(target, requestAt(turn++), isFresh ? false : kept).then((sample) => {
      samples.push(sample);
      pending.delete(one);
    });
    pending.add(one);
  }, EVERY_MS);
  return {
    samples,
    stop: async () => {
      clearInterval(timer);
      await Promise.all(pending);
      kept.destroy();
    },
  };
};
