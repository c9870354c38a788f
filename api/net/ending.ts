/** The end of a connection, for those who do not close theirs. */
import type { Socket } from 'node:net';

const HALF_OPEN_MS = 2_000;

/** Sends what is left, and does not wait long for the other side. */
export const endSoon = (socket: Socket, last?: string): void => {
  if (last === undefined) socket.end();
  else socket.end(last);
  setTimeout(() => socket.destroy(), HALF_OPEN_MS).unref();
};
