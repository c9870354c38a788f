/**
 * Answers that anybody can cause at will are given at a pace: beyond a burst, each waits for its turn among those of the same caller, or of
 * the same address where there is none. Its connection is not read meanwhile, and ends with the answer, so that what was sent behind it costs
 * nothing. A flood of them takes a bounded share of the processor.
 */
import type { Request, Response } from 'express';
import { networkOf } from '../../../src/callers/network.js';
import { HELD } from '../../net/connections.js';
import { contextOf } from '../context.js';

const PER_SECOND = 100;
const BURST = 200;
/** Each connection that waits has one answer in so much time at least. */
const MAX_MS = 10_000;
const SWEEP_MS = 1_000;

/** Resolves when the answer may be given, or its connection is gone. */
export type Pace = (request: Request, response: Response) => Promise<void>;

/** @returns milliseconds from `now` until the turn of one more answer; 0 within the burst */
export const createTurn = (): ((of: string, now: number) => number) => {
  const step = 1_000 / PER_SECOND;
  /** When the next answer would be due without a burst. */
  const due = new Map<string, number>();
  let swept = 0;
  return (of, now) => {
    const earliest = now - BURST * step;
    if (now - swept > SWEEP_MS) {
      swept = now;
      for (const [one, at] of due) if (at <= earliest) due.delete(one);
    }
    const next = Math.max(due.get(of) ?? earliest, earliest) + step;
    due.set(of, Math.min(next, now + MAX_MS));
    return Math.min(Math.max(next - now, 0), MAX_MS);
  };
};

/** @param isStopping whether nobody is to be waited for any more */
export const createPace = (isStopping: () => boolean): Pace => {
  const turn = createTurn();
  return async (request, response) => {
    const context = contextOf(response);
    if (context.isPaced) return;
    context.isPaced = true;
    const ms = turn(context.caller?.id ?? networkOf(context.address), performance.now());
    if (ms === 0) return;
    response.set('Connection', 'close');
    if (isStopping()) return;
    const { socket } = request;
    socket.pause();
    response.emit(HELD);
    // Node would read on while it closes the connection.
    response.once('finish', () => socket.destroy());
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(done, ms);
      response.once('close', done);
    });
  };
};
