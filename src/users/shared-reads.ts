/** Readings of one list at the same moment are one: those that come while one is under way share the next one. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Call } from '../adapter.js';
import type { Clock } from '../clock.js';
import type { Target } from '../clusters/registry.js';
import { deadlinePassed } from '../deadline.js';
import { type SharedWork, shareWork } from '../shared-work.js';
import { type FindOptions, type FoundUsers, findUsers } from './find.js';

export interface SharedReads {
  /** As `findUsers`; the reading begins after this call. */
  find(target: Target, usernames: readonly string[], call: Call, options: FindOptions): Promise<FoundUsers>;
}

/** A reading that takes longer than this is not waited for: it may hang. */
const MAX_WAIT_MS = 500;

/** A shared reading does not end with one asker's deadline. */
const READ_MS = 60_000;

interface Reading {
  readonly usernames: Set<string>;
  readonly work: SharedWork<FoundUsers>;
}

export const createSharedReads = (clock: Clock, find = findUsers): SharedReads => {
  /** The last reading that was begun, and the one that is gathering names. */
  const last = new Map<string, Promise<unknown>>();
  const gathering = new Map<string, Reading>();

  const begin = (key: string, target: Target, call: Call, options: FindOptions): Reading => {
    const usernames = new Set<string>();
    const work = shareWork(clock, MAX_WAIT_MS + READ_MS, async (signal): Promise<FoundUsers> => {
      await Promise.race([last.get(key), clock.sleep(MAX_WAIT_MS)]);
      await nextTurn();
      if (gathering.get(key) === reading) gathering.delete(key);
      if (signal.aborted) throw deadlinePassed('none');
      const answer = find(target, [...usernames], { ...call, signal }, options);
      const ended = answer.then(
        () => undefined,
        () => undefined,
      );
      last.set(key, ended);
      void ended.then(() => {
        if (last.get(key) === ended) last.delete(key);
      });
      return answer;
    });
    const reading: Reading = { usernames, work };
    gathering.set(key, reading);
    return reading;
  };

  return {
    find: async (target, usernames, call, options) => {
      const key = JSON.stringify([target.account.name, target.vendorClusterId, options]);
      const known = gathering.get(key);
      const reading = known && !known.work.isAbandoned ? known : begin(key, target, call, options);
      for (const username of usernames) reading.usernames.add(username);
      const { found, complete, isWhole, omitted } = await reading.work.join(call.signal);
      const own = new Map(usernames.map((username) => [username, found.get(username) ?? null]));
      const isAll = [...own.values()].every((user) => user !== null);
      return { found: own, complete: complete || isAll, isWhole: isWhole || isAll, omitted };
    },
  };
};
