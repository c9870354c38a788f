/** How many requests are being answered at once: of all, and of one caller, so that one cannot take the places of all others. */
import type { Response } from 'express';
import type { Caller } from '../../../src/callers/caller.js';
import { GatewayError } from '../../../src/errors.js';

/** Requests that need no caller have places of their own. */
const MAX_PUBLIC = 64;
const RETRY_MS = 1_000;

export interface InFlight {
  /** Takes a place until the answer is out. @throws too_busy */
  enter(caller: Caller, response: Response): void;
  /** The same for a request that needs no caller. @throws too_busy */
  enterPublic(response: Response): void;
}

const tooBusy = (message: string): GatewayError => new GatewayError('too_busy', message, { retryAfterMs: RETRY_MS });

export const createInFlight = (max: number): InFlight => {
  let all = 0;
  let publicOnes = 0;
  const own = new Map<string, number>();

  return {
    enter: ({ id, limits }, response) => {
      const mine = id === null ? all : (own.get(id) ?? 0);
      const share = id === null ? max : (limits.maxRequestsInFlight ?? Math.ceil(max / 2));
      if (mine >= share) throw tooBusy(`The caller has ${mine} requests in flight, as many as they may. Nothing was begun.`);
      if (all >= max) throw tooBusy(`The gateway has ${all} requests in flight, as many as it takes. Nothing was begun.`);
      all++;
      if (id !== null) own.set(id, mine + 1);
      response.once('close', () => {
        all--;
        if (id === null) return;
        const left = (own.get(id) ?? 1) - 1;
        if (left > 0) own.set(id, left);
        else own.delete(id);
      });
    },

    enterPublic: (response) => {
      if (publicOnes >= MAX_PUBLIC) throw tooBusy('The gateway has too many requests in flight.');
      publicOnes++;
      response.once('close', () => {
        publicOnes--;
      });
    },
  };
};
