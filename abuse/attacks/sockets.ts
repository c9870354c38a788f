/** Raw connections, so that an attacker sends exactly what it wants, and reads only what it wants. */
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import type { Order, Tally, Target } from '../types.js';

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const newTally = (): Tally => ({ opened: 0, cut: 0, sent: 0, statuses: {}, kinds: {} });

const ANSWER_MS = 10_000;
const STATUS_LINE = /^HTTP\/1\.1 (\d{3})/;

/** An open connection that counts itself; an error is a cut connection. */
export const open = ({ host, port, from }: Target, tally: Tally, more: Partial<TcpNetConnectOpts> = {}): Socket => {
  const socket = connect({ host, port, ...(from !== undefined && { localAddress: from }), ...more });
  let isMine = false;
  socket.once('connect', () => {
    tally.opened += 1;
  });
  socket.on('error', () => undefined);
  socket.once('close', () => {
    if (!isMine) tally.cut += 1;
  });
  const { resetAndDestroy } = socket;
  // No TIME_WAIT is left behind.
  socket.resetAndDestroy = () => {
    isMine = true;
    return resetAndDestroy.call(socket);
  };
  return socket;
};

export const head = (target: Target, first: string, headers: readonly string[] = []): string =>
  [`${first} HTTP/1.1`, `host: ${target.host}:${target.port}`, target.authorization, ...headers]
    .filter((line) => line !== '')
    .map((line) => `${line}\r\n`)
    .concat('\r\n')
    .join('');

export const count = (tally: Tally, kind: string, status: string, ms: number): void => {
  tally.statuses[status] = (tally.statuses[status] ?? 0) + 1;
  const { slowestMs = 0, statuses = [] } = tally.kinds[kind] ?? {};
  tally.kinds[kind] = {
    slowestMs: Math.max(slowestMs, Math.round(ms)),
    statuses: statuses.includes(status) ? statuses : [...statuses, status],
  };
};

/** Sends one request on a connection of its own and waits for the first line of the answer. */
export const ask = (target: Target, tally: Tally, kind: string, parts: readonly (string | Buffer)[]): Promise<void> =>
  new Promise((resolve) => {
    const since = performance.now();
    const socket = open(target, tally);
    const patience = setTimeout(() => end('none'), ANSWER_MS);
    const end = (status: string): void => {
      clearTimeout(patience);
      socket.removeAllListeners('data');
      socket.resetAndDestroy();
      count(tally, kind, status, performance.now() - since);
      resolve();
    };
    socket.once('data', (data) => end(STATUS_LINE.exec(data.toString('latin1'))?.[1] ?? 'none'));
    socket.once('close', () => {
      clearTimeout(patience);
      if (socket.bytesRead === 0) count(tally, kind, 'none', performance.now() - since);
      resolve();
    });
    tally.sent += 1;
    for (const part of parts) socket.write(part);
  });

/** Keeps `width` requests going until the time is over. */
export const inTurn = async (ms: number, width: number, send: (turn: number) => Promise<void>): Promise<void> => {
  const until = performance.now() + ms;
  const over = sleep(ms);
  let turn = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() < until) await Promise.race([send(turn++), over]);
  };
  await Promise.all(Array.from({ length: width }, worker));
};

/** Connections that one process is to have. */
export const share = ({ part, parts, maxConnections }: Order, connections: number): number =>
  Math.min(maxConnections, Math.floor(((part + 1) * connections) / parts) - Math.floor((part * connections) / parts));

const OPENED_AT_ONCE = 100;
const PAUSE_MS = 20;
/** A connection that the gateway cuts is opened again, this often on average. */
const MAX_REOPENS = 5;

export interface Held {
  readonly sockets: Set<Socket>;
  close(): void;
}

/** Opens the connections step by step, each with `begin`; one that is cut is replaced. */
export const hold = async (
  order: Order,
  tally: Tally,
  connections: number,
  begin: (socket: Socket) => void,
  more: Partial<TcpNetConnectOpts> = {},
): Promise<Held> => {
  const sockets = new Set<Socket>();
  const until = performance.now() + order.ms;
  let reopens = connections * MAX_REOPENS;
  let isOver = false;
  const add = (): void => {
    const socket = open(order.target, tally, more);
    sockets.add(socket);
    socket.once('connect', () => begin(socket));
    socket.once('close', () => {
      sockets.delete(socket);
      reopens -= 1;
      if (!isOver && reopens > 0) setTimeout(() => isOver || add(), PAUSE_MS * 5);
    });
  };
  for (let made = 0; made < connections && performance.now() < until; made += OPENED_AT_ONCE) {
    for (let at = 0; at < Math.min(OPENED_AT_ONCE, connections - made); at++) add();
    await sleep(PAUSE_MS);
  }
  return {
    sockets,
    close: () => {
      isOver = true;
      for (const socket of sockets) socket.resetAndDestroy();
    },
  };
};
