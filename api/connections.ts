import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

export interface Connections {
  /** Takes no new connections, and resolves when the last answer is out. Connections without a whole request are cut at once. */
  close(): Promise<void>;
  /** Cuts all. */
  destroy(): void;
}

/**
 * Follows a server's connections. Node's own `close` waits for connections that were opened and never used, and for those that are kept
 * alive after their last answer.
 */
export const followConnections = (server: Server): Connections => {
  const open = new Map<Socket, Set<IncomingMessage>>();
  let closing = false;

  server.on('connection', (socket) => {
    open.set(socket, new Set());
    socket.once('close', () => open.delete(socket));
  });
  server.on('request', (request, response) => {
    const { socket } = request;
    const running = open.get(socket);
    running?.add(request);
    response.once('close', () => {
      running?.delete(request);
      if (closing && running?.size === 0) socket.end();
    });
  });

  return {
    close: () =>
      new Promise((resolve) => {
        closing = true;
        server.close(() => resolve());
        for (const [socket, running] of open) if (![...running].some(({ complete }) => complete)) socket.destroy();
      }),
    destroy: () => {
      for (const socket of open.keys()) socket.destroy();
    },
  };
};
