/**
 * The connections of a server: how many there may be, how many requests each may have in flight, and how long an answer may wait to be taken.
 * Strangers decide about all three.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface ConnectionLimits {
  readonly max: number;
  /** How long an answer may wait to be taken by its caller. */
  readonly answerMs: number;
}

export interface Connections {
  /** Whether the request is to be answered. One too many is not: its connection ends after the answers before it (RFC 9112, section 9.3.2). */
  admit(request: IncomingMessage, response: ServerResponse): boolean;
  /** Whether an answer has begun on it. */
  hasAnswered(socket: Socket): boolean;
  /** Takes no new connections, and resolves when the last answer is out. Connections without a whole request are cut at once. */
  close(): Promise<void>;
  /** Cuts all. */
  destroy(): void;
}

/** Hardly a client pipelines. */
const MAX_PIPELINED = 16;
/** With more beyond that, nobody waits for the answers. */
const MAX_EXCESS = 48;
const SWEEP_MS = 500;
const HALF_OPEN_MS = 2_000;
/** An answer of any length that is taken faster than this is not stuck. */
const MIN_BYTES = 65_536;
/** Of answers that wait in this process; beyond it, those that wait longest are given up. */
const MAX_WAITING_BYTES = 67_108_864;

interface Entry {
  socket: Socket;
  /** Requests in flight. */
  readonly running: Map<IncomingMessage, ServerResponse>;
  /** It takes no more requests: it had one too many, or one that asked for another protocol. */
  isFull: boolean;
  /** Requests that were not taken. */
  excess: number;
  /** Since when bytes wait, and how many had been taken then. */
  waiting: { readonly since: number; readonly written: number } | undefined;
}

/** For those who do not close their end. */
const endSoon = (socket: Socket): void => {
  socket.end();
  setTimeout(() => socket.destroy(), HALF_OPEN_MS).unref();
};

const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

export const followConnections = (server: Server, { max, answerMs }: ConnectionLimits): Connections => {
  const open = new Map<Socket, Entry>();
  /** Those without a request in flight; the first one has been so for longest. */
  const idle = new Set<Entry>();
  /** Connections that TLS is being established on. */
  const shakingHands = new Map<string, Entry>();
  let closing = false;

  const forget = (entry: Entry): void => {
    open.delete(entry.socket);
    idle.delete(entry);
  };

  /** Makes room by the one that is idle for longest. @returns whether there is room */
  const makeRoom = (): boolean => {
    if (open.size < max) return true;
    const [oldest] = idle;
    if (!oldest) return false;
    forget(oldest);
    oldest.socket.destroy();
    return true;
  };

  server.on('connection', (socket) => {
    if (!makeRoom()) {
      socket.destroy();
      return;
    }
    const entry: Entry = { socket, running: new Map(), isFull: false, excess: 0, waiting: undefined };
    const peer = peerOf(socket);
    open.set(socket, entry);
    idle.add(entry);
    shakingHands.set(peer, entry);
    socket.once('close', () => {
      forget(entry);
      if (shakingHands.get(peer) === entry) shakingHands.delete(peer);
    });
  });
  server.on('secureConnection', (socket: Socket) => {
    const entry = shakingHands.get(peerOf(socket));
    if (!entry) return;
    open.delete(entry.socket);
    entry.socket = socket;
    open.set(socket, entry);
    socket.once('close', () => forget(entry));
  });

  /** Whether its answers have waited too long. */
  const isStuck = (entry: Entry, now: number): boolean => {
    const { socket, running } = entry;
    if (socket.writableLength === 0) {
      entry.waiting = undefined;
      return false;
    }
    entry.waiting ??= { since: now, written: socket.bytesWritten };
    if (now - entry.waiting.since < answerMs) return false;
    const hasMore = [...running.values()].some(({ writableEnded }) => !writableEnded);
    if (!hasMore || socket.bytesWritten - entry.waiting.written < MIN_BYTES) return true;
    entry.waiting = { since: now, written: socket.bytesWritten };
    return false;
  };

  const sweep = (): void => {
    const now = performance.now();
    let bytes = 0;
    const waiting: Entry[] = [];
    for (const entry of open.values()) {
      if (isStuck(entry, now)) entry.socket.destroy();
      else if (entry.waiting) {
        bytes += entry.socket.writableLength;
        waiting.push(entry);
      }
    }
    waiting.sort((one, other) => (one.waiting?.since ?? 0) - (other.waiting?.since ?? 0));
    for (const { socket } of waiting) {
      if (bytes <= MAX_WAITING_BYTES) break;
      bytes -= socket.writableLength;
      socket.destroy();
    }
  };
  const sweeping = setInterval(sweep, Math.min(SWEEP_MS, answerMs));
  sweeping.unref();
  server.once('close', () => clearInterval(sweeping));

  return {
    admit: (request, response) => {
      const entry = open.get(request.socket);
      if (!entry) return false;
      const { running, socket } = entry;
      if (entry.isFull || running.size >= MAX_PIPELINED) {
        entry.isFull = true;
        socket.pause();
        // One chunk may hold a thousand: each that is kept takes memory until the connection ends.
        if (++entry.excess > MAX_EXCESS) socket.destroy();
        return false;
      }
      // Node drops what came with it behind it, and would read what comes later as the beginning of a request.
      if (request.headers.upgrade !== undefined) {
        entry.isFull = true;
        response.shouldKeepAlive = false;
      }
      idle.delete(entry);
      running.set(request, response);
      response.once('close', () => {
        running.delete(request);
        if (running.size > 0 || socket.destroyed) return;
        idle.add(entry);
        if (closing || entry.isFull) endSoon(socket);
      });
      return true;
    },

    hasAnswered: (socket) => {
      const entry = open.get(socket);
      return entry === undefined || [...entry.running.values()].some(({ headersSent }) => headersSent);
    },

    close: () =>
      new Promise((resolve) => {
        closing = true;
        server.close(() => resolve());
        for (const { socket, running } of open.values())
          if (![...running.keys()].some(({ complete }) => complete)) socket.destroy();
      }),

    destroy: () => {
      clearInterval(sweeping);
      for (const socket of open.keys()) socket.destroy();
    },
  };
};
