import type { Server } from 'node:http';
import type { Socket } from 'node:net';

export interface Connections {
  /** Takes no new connections, and resolves when the last answer is out. Connections without a request are cut at once. */
  close(): Promise<void>;
  /** Cuts all. */
  destroy(): void;
}

/**
 * Follows a server's connections. Node's own `close` waits for connections that were opened and never used, and for those that are kept
 * alive after their last answer.
 */
export const followConnections = (server: Server): Connections => {
  const requests = new Map<Socket, number>();
  let closing = false;

  const finished = (socket: Socket): void => {
    const left = (requests.get(socket) ?? 1) - 1;
    if (requests.has(socket)) requests.set(socket, left);
    if (closing && left === 0) socket.end();
  };

  server.on('connection', (socket) => {
    requests.set(socket, 0);
    socket.once('close', () => requests.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    requests.set(socket, (requests.get(socket) ?? 0) + 1);
    response.once('close', () => finished(socket));
  });

  return {
    close: () =>
      new Promise((resolve) => {
        closing = true;
        server.close(() => resolve());
        for (const [socket, running] of requests) if (running === 0) socket.destroy();
      }),
    destroy: () => {
      for (const socket of requests.keys()) socket.destroy();
    },
  };
};
