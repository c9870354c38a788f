/**
 * The connections of a server: how many there may be, how many requests each may have in flight, and how long an answer may wait to be taken.
 * Strangers decide about all three.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { networkOf } from '../../src/callers/network.js';
import { noteArrival, ownTurn } from '../../src/own-turn.js';
import { endSoon } from './ending.js';

export interface ConnectionLimits {
  readonly max: number;
  /** How long an answer may wait to be taken by its caller. */
  readonly answerMs: number;
}

export interface Connections {
  /**
   * Begins with the request when the answers before it on its connection are out. One too many is left: its connection ends after the
   * answers before it (RFC 9112, section 9.3.2).
   */
  take(request: IncomingMessage, response: ServerResponse, begin: () => void): void;
  /**
   * Whether answers to whole requests are still to come on it: it ends after them, without those that have not arrived as a whole. What is
   * written at once would be taken for the first of those answers.
   */
  endAfterAnswers(socket: Socket): boolean;
  /** Whether an answer has begun on it. */
  hasAnswered(socket: Socket): boolean;
  /** Takes no new connections, and resolves when the last answer is out. Connections without a whole request are cut at once. */
  close(): Promise<void>;
  /** Cuts all. */
  destroy(): void;
}

/** Requests of a connection that are known: one is at work, the others wait. Hardly a client pipelines. */
const MAX_PIPELINED = 16;
/** With more beyond that, nobody waits for the answers. */
const MAX_EXCESS = 48;
const SWEEP_MS = 500;
/** An answer of any length that is taken faster than this is not stuck. */
const MIN_BYTES = 65_536;
/** Of answers that wait in this process; beyond it, those that wait longest are given up. */
const MAX_WAITING_BYTES = 67_108_864;

/** Emitted by a response whose answer waits for its turn among refusals: its connection is the first to be given up. */
export const HELD = Symbol('held');

interface Entry {
  socket: Socket;
  /** Whom it belongs to. */
  readonly network: string;
  /** Requests in flight, in order: the first one is at work. */
  readonly running: Map<IncomingMessage, { readonly response: ServerResponse; readonly begin: () => void }>;
  /** It takes no more requests: it had one too many, or one that asked for another protocol. */
  isFull: boolean;
  /** Requests that were not taken. */
  excess: number;
  /** Since when bytes wait, and how many had been taken then. */
  waiting: { readonly since: number; readonly written: number } | undefined;
}

/**
 * What comes behind requests that wait, waits with its sender. Node reads on after each request, so this is for the next turn; and who stops
 * in the middle of a body would be too late with the rest of it.
 */
const waitToRead = ({ running, socket }: Entry): void => {
  if (running.size > 1 && !socket.destroyed && [...running.keys()].every(({ complete }) => complete)) socket.pause();
};

/** The first of its requests, in turn with those from other networks. */
const beginFirst = async ({ network, running }: Entry): Promise<void> => {
  const [first] = running.keys();
  if (!first) return;
  await ownTurn(network);
  running.get(first)?.begin();
};

/** It takes no more requests (RFC 9112, section 9.6). */
const isLast = (response: ServerResponse): boolean => response.getHeader('connection') === 'close';

const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

export const followConnections = (server: Server, { max, answerMs }: ConnectionLimits): Connections => {
  const isTls = server instanceof HttpsServer;
  const open = new Map<Socket, Entry>();
  /** Those without a request in flight; the first one has been so for longest. */
  const idle = new Set<Entry>();
  /** Those whose answer waits for its turn among refusals. */
  const held = new Set<Entry>();
  /** Connections that TLS is being established on. */
  const shakingHands = new Map<string, Entry>();
  let closing = false;

  const forget = (entry: Entry): void => {
    open.delete(entry.socket);
    idle.delete(entry);
    held.delete(entry);
  };

  /** One whose caller only waits for a refusal; else the one that is idle for longest. */
  const leastNeeded = (): Entry | undefined => {
    for (const entries of [held, idle]) for (const entry of entries) return entry;
    return undefined;
  };

  /** @returns whether there is room for one more */
  const makeRoom = (): boolean => {
    if (open.size < max) return true;
    const entry = leastNeeded();
    if (!entry) return false;
    forget(entry);
    entry.socket.destroy();
    return true;
  };

  server.on('connection', (socket) => {
    noteArrival();
    if (!makeRoom()) {
      socket.destroy();
      return;
    }
    const entry: Entry = {
      socket,
      network: networkOf(socket.remoteAddress ?? ''),
      running: new Map(),
      isFull: false,
      excess: 0,
      waiting: undefined,
    };
    open.set(socket, entry);
    idle.add(entry);
    socket.once('close', () => forget(entry));
    if (!isTls) return;
    const peer = peerOf(socket);
    shakingHands.set(peer, entry);
    socket.once('close', () => {
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
    const hasMore = [...running.values()].some(({ response }) => !response.writableEnded);
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
    take: (request, response, begin) => {
      const entry = open.get(request.socket);
      if (!entry) return;
      const { running, socket } = entry;
      if (entry.isFull || running.size >= MAX_PIPELINED) {
        entry.isFull = true;
        socket.pause();
        // One chunk may hold a thousand: each that is kept takes memory until the connection ends.
        if (++entry.excess > MAX_EXCESS) socket.destroy();
        return;
      }
      // Node drops what came with it behind it, and would read what comes later as the beginning of a request.
      if (request.headers.upgrade !== undefined) {
        entry.isFull = true;
        response.shouldKeepAlive = false;
      }
      idle.delete(entry);
      running.set(request, { response, begin });
      response.once(HELD, () => {
        entry.isFull = true;
        held.add(entry);
      });
      response.once('close', () => {
        running.delete(request);
        if (socket.destroyed || isLast(response)) return;
        if (running.size > 0) void beginFirst(entry);
        else {
          idle.add(entry);
          if (closing || entry.isFull) endSoon(socket);
          else if (socket.isPaused()) socket.resume();
        }
      });
      if (running.size === 1) void beginFirst(entry);
      else setImmediate(() => waitToRead(entry));
    },

    endAfterAnswers: (socket) => {
      const entry = open.get(socket);
      if (!entry) return false;
      const { running } = entry;
      if (![...running.keys()].some(({ complete }) => complete)) return false;
      entry.isFull = true;
      for (const request of running.keys()) if (!request.complete) running.delete(request);
      return true;
    },

    hasAnswered: (socket) => {
      const entry = open.get(socket);
      return entry === undefined || [...entry.running.values()].some(({ response }) => response.headersSent);
    },

    close: () =>
      new Promise((resolve) => {
        closing = true;
        server.close(() => resolve());
        for (const entry of open.values())
          if (held.has(entry) || ![...entry.running.keys()].some(({ complete }) => complete)) entry.socket.destroy();
      }),

    destroy: () => {
      clearInterval(sweeping);
      for (const socket of open.keys()) socket.destroy();
    },
  };
};
