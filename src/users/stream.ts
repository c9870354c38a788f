/** All users of a cluster, a stretch at a time, however many they are. */
import type { Call, VendorUser } from '../adapter.js';
import type { CallerCall } from '../callers/caller.js';
import type { Target } from '../clusters/registry.js';
import { firstOf } from '../deadline.js';
import { ownTurn } from '../own-turn.js';
import type { KeptList } from './kept-lists.js';
import { type Filter, fitting } from './sources.js';
import { type Stretch, walkAlong } from './walk-along.js';

/** Users of a stretch of a list that is in memory. */
const A_STRETCH = 500;

/** Of a list that is in memory. */
export async function* stretchesOf(list: KeptList, offset: number, filter: Filter, owner?: string): AsyncGenerator<Stretch> {
  const users = fitting(list, filter);
  yield { users: users.slice(offset, offset + A_STRETCH), omitted: list.omitted };
  for (let at = offset + A_STRETCH; at < users.length; at += A_STRETCH) {
    await ownTurn(owner);
    yield { users: users.slice(at, at + A_STRETCH), omitted: 0 };
  }
}

/** Of the vendor's list. @param deadlineMs of each reading */
export async function* stretchesAt(
  target: Target,
  offset: number,
  { search, role }: Filter,
  call: CallerCall,
  deadlineMs: number,
): AsyncGenerator<Stretch> {
  const part = search?.toLowerCase();
  const fits = (user: VendorUser): boolean =>
    (part === undefined || user.username.toLowerCase().includes(part)) && (role === undefined || user.role === role);
  const nextCall = (): Call => {
    const deadline = AbortSignal.timeout(deadlineMs);
    return { ...call, signal: call.left ? firstOf([deadline, call.left()]) : deadline };
  };
  // A position in a filtered list is known only by counting.
  const isFiltered = part !== undefined || role !== undefined;
  let skipped = isFiltered ? offset : 0;
  for await (const { users, omitted } of walkAlong(target, isFiltered ? 0 : offset, nextCall)) {
    const found = users.filter(fits);
    yield { users: found.slice(skipped), omitted };
    skipped = Math.max(0, skipped - found.length);
  }
}

/** The stretches, of which the first one is read already: it may fail. */
export const begun = async <T>(
  stretches: AsyncGenerator<T>,
): Promise<{ readonly first: T | undefined; readonly stretches: AsyncIterable<T> }> => {
  const { done, value } = await stretches.next();
  const all = async function* (): AsyncGenerator<T> {
    try {
      if (done) return;
      yield value;
      yield* stretches;
    } finally {
      await stretches.return(undefined);
    }
  };
  return { first: done ? undefined : value, stretches: all() };
};
