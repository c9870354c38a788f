/**
 * How many requests are being answered at once, and how many bytes of bodies they may have: of all, and of one caller, so that one cannot take
 * the places of all others.
 */
import type { Response } from 'express';
import type { Caller } from '../../../src/callers/caller.js';
import { GatewayError } from '../../../src/errors.js';

/** Requests that need no caller have places of their own. */
const MAX_PUBLIC = 64;
/** Of bodies, as they came and unpacked, from the beginning of a request to its answer. */
const MAX_BODY_BYTES = 67_108_864;
/** Requests that wait for their caller to be known. */
const MAX_ASKING = 256;
const RETRY_MS = 1_000;

export interface InFlight {
  /** Takes a place, and room for a body, until the answer is out. @returns gives them back before @throws too_busy */
  enter(caller: Caller, bodyBytes: number, response: Response): () => void;
  /** The same for a request that needs no caller. @throws too_busy */
  enterPublic(response: Response): void;
  /** Work for a request whose caller is not known yet: it may have to wait for the issuer of a token. @throws too_busy */
  asking<T>(work: () => Promise<T>): Promise<T>;
}

interface Load {
  requests: number;
  bytes: number;
}

/** Nothing was begun. */
export const tooBusy = (message: string): GatewayError =>
  new GatewayError('too_busy', `${message} Nothing was begun.`, { retryAfterMs: RETRY_MS });

export const createInFlight = (max: number): InFlight => {
  const all: Load = { requests: 0, bytes: 0 };
  const publicOnes: Load = { requests: 0, bytes: 0 };
  const own = new Map<string, Load>();
  let asked = 0;

  const loadOf = (id: string | null): Load => {
    if (id === null) return all;
    return own.get(id) ?? { requests: 0, bytes: 0 };
  };

  const hold = (loads: ReadonlySet<Load>, bytes: number, response: Response, left: () => void): (() => void) => {
    for (const load of loads) {
      load.requests++;
      load.bytes += bytes;
    }
    let isIn = true;
    const leave = (): void => {
      if (!isIn) return;
      isIn = false;
      for (const load of loads) {
        load.requests--;
        load.bytes -= bytes;
      }
      left();
    };
    response.once('close', leave);
    return leave;
  };

  return {
    enter: ({ id, limits }, bytes, response) => {
      const share = id === null ? 1 : 0.5;
      const mine = loadOf(id);
      const allowed = id === null ? max : (limits.maxRequestsInFlight ?? Math.ceil(max * share));
      if (mine.requests >= allowed) throw tooBusy(`The caller has ${mine.requests} requests in flight, as many as they may.`);
      if (all.requests >= max) throw tooBusy(`The gateway has ${all.requests} requests in flight, as many as it takes.`);
      if (mine.bytes + bytes > MAX_BODY_BYTES * share) throw tooBusy('The caller has too much in bodies of requests in flight.');
      if (all.bytes + bytes > MAX_BODY_BYTES) throw tooBusy('The gateway has too much in bodies of requests in flight.');
      // Of callers who are turned away, nothing is kept.
      if (id !== null) own.set(id, mine);
      return hold(new Set([all, mine]), bytes, response, () => {
        if (id !== null && mine.requests === 0) own.delete(id);
      });
    },

    asking: async (work) => {
      if (asked >= MAX_ASKING) throw tooBusy('The gateway has too many requests whose tokens wait for their issuer.');
      asked++;
      return work().finally(() => {
        asked--;
      });
    },

    enterPublic: (response) => {
      if (publicOnes.requests >= MAX_PUBLIC) throw tooBusy('The gateway has too many requests in flight.');
      hold(new Set([publicOnes]), 0, response, () => undefined);
    },
  };
};
