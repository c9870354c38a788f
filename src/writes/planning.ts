/**
 * Steps that send nothing: things are read when it is their turn, and what is to be done to them is decided. Nothing is stored before, so
 * a process that dies meanwhile leaves nothing behind.
 */
import { asGatewayError, GatewayError } from '../errors.js';
import type { StepOutcome } from '../journal/item.js';
import { isDone } from '../journal/records.js';
import { type Board, noteFault } from './board.js';
import { boundedCall } from './desk.js';
import { failedWith, withDetail } from './outcome.js';
import { troubleOf } from './pace.js';
import type { Planned } from './resource.js';
import { rest } from './sending.js';
import { type Entry, mayGoOn, stepNow, type Work } from './work.js';

/** Items of one change. */
const STORED_AT_ONCE = 100;
/** Then it is read again. */
const FRESH_MS = 45_000;
const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 60_000;

/** Reads the things of items, all of one account, and plans. */
const planOf = async ({ desk }: Board, entries: readonly [Entry, ...Entry[]]): Promise<readonly Planned[]> => {
  const [first] = entries;
  const { baselines, clock } = desk;
  const call = boundedCall(desk, first.work);
  const at = clock.now();
  const read = await first.work.site.read(
    entries.map(({ item }) => item.name),
    call,
  );
  for (const { item } of entries) {
    const thing = read.found.get(item.name) ?? null;
    if (thing || read.complete) baselines.note(item.name, thing, at);
  }
  const asked = entries.map(({ item, work }) => ({ item, isBatch: work.isBatch }));
  return stepNow(first).plan?.(asked, read, call) ?? [];
};

/** What cannot be read is read again later, for as long as its operation is patient. Nothing was sent. */
const putOff = (board: Board, all: readonly Entry[], error: GatewayError): Promise<unknown> =>
  board.forEachWork(all, async (work, entries) => {
    const { endurance, requestId } = work;
    noteFault(board, error, requestId);
    const kind = troubleOf(error);
    const wait = Math.max(Math.min(FIRST_WAIT_MS * 2 ** work.unreadable++, MAX_WAIT_MS), error.retryAfterMs ?? 0);
    endurance.noteTrouble(kind, wait, true);
    if (error.retryable && endurance.isLeft(kind, wait)) {
      rest(board, entries, wait);
      return;
    }
    const outcome = failedWith(withDetail(error.withEffect('none'), 'Nothing was changed.', 'none'), 'failed');
    await store(work, new Map(entries.map((entry) => [entry, outcome])));
  });

const store = async (work: Work, outcomes: ReadonlyMap<Entry, StepOutcome>): Promise<void> => {
  const all = [...outcomes];
  for (let at = 0; at < all.length; at += STORED_AT_ONCE) await work.settle(new Map(all.slice(at, at + STORED_AT_ONCE)));
};

/** @param done is called when they are read */
export const plan = (board: Board, entries: readonly Entry[], done: () => void = () => undefined): void => {
  const [first, ...others] = entries;
  if (!first) {
    done();
    return;
  }
  const { desk } = board;
  board.move(entries, 'preparing');
  board.run(entries, async () => {
    const at = desk.clock.now();
    const planned = await planOf(board, [first, ...others])
      .catch(asGatewayError)
      .finally(done);
    if (desk.signal.aborted) return;
    if (planned instanceof GatewayError) {
      await putOff(board, entries, planned);
      return;
    }
    const outcomes = new Map(entries.map((entry, position) => [entry, planned[position] as Planned]));
    await board.forEachWork(entries, async (work, own) => {
      work.unreadable = 0;
      work.endurance.noteProgress();
      const now = new Map<Entry, StepOutcome>();
      for (const entry of own) {
        const outcome = outcomes.get(entry) as Planned;
        // What an earlier item may still stop has not ended.
        if (work.inOrder && outcome.status !== 'planned') entry.foreseen = { outcome, at };
        else now.set(entry, outcome);
      }
      await store(work, now);
      board.move(
        own.filter(({ item }) => !item.outcome),
        'waiting',
      );
    });
  });
};

/** Ends what comes next in an operation in order, and needs nothing to be sent. */
export const endForeseen = (board: Board, work: Work): void => {
  if (!work.inOrder || work.busy > 0 || !mayGoOn(work)) return;
  const now = board.desk.clock.now();
  const next = new Map<Entry, StepOutcome>();
  for (const entry of work.entries.values()) {
    const { foreseen, item } = entry;
    if (!foreseen || item.index >= work.stopsAt) break;
    if (now - foreseen.at > FRESH_MS) {
      entry.foreseen = undefined;
      break;
    }
    next.set(entry, foreseen.outcome);
    if (!isDone(foreseen.outcome)) break;
  }
  if (next.size === 0) return;
  const entries = [...next.keys()];
  board.move(entries, 'deciding');
  board.run(entries, () => store(work, next));
};
