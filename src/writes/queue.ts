/** Whose turn it is on one cluster. What was accepted first at a thing is done first; nobody else is at it meanwhile. */
import { hasAnotherStep } from '../journal/item.js';
import { isDone } from '../journal/records.js';
import type { Limits } from './resource.js';
import { dropStalePlan, type Entry, foreseenOf, isToBePlanned, mayGoOn, stepNameOf, stepsOf, type Work } from './work.js';

export interface Queue {
  add(entry: Entry): void;
  remove(entry: Entry): void;
  /** Whether all earlier items at the same thing are settled. */
  isNext(entry: Entry): boolean;
  /** Whether nobody is at its thing, nor waits for it. */
  isFree(entry: Entry): boolean;
  /** Single items that are next at their things, and items of batches that single ones wait for; in order. */
  urgent(): Entry[];
  /** Whether a single item waits for the thing of this one. */
  isAwaited(entry: Entry): boolean;
}

export const isBefore = (a: Entry, b: Entry): boolean =>
  a.work === b.work ? a.item.index < b.item.index : a.work.order < b.work.order;

/** It was sent before, maybe by an earlier process, or a step of it is done: it keeps its thing, and all others wait for it. */
export const isBegun = ({ item: { underWay, sends = 0, stepsDone = 0 } }: Entry): boolean =>
  underWay !== undefined || sends > 0 || stepsDone > 0;

const isOnItsWay = (entry: Entry): boolean => entry.state !== 'waiting' || isBegun(entry);

export const createQueue = (): Queue => {
  const names = new Map<string, Entry[]>();
  const singles = new Set<Entry>();

  const queueOf = ({ item: { name } }: Entry): Entry[] => names.get(name) ?? [];

  return {
    add: (entry) => {
      const queue = queueOf(entry);
      if (queue.includes(entry)) return;
      const at = queue.findIndex((other) => (isBegun(entry) ? !isBegun(other) : !isOnItsWay(other) && isBefore(entry, other)));
      queue.splice(at === -1 ? queue.length : at, 0, entry);
      names.set(entry.item.name, queue);
      if (!entry.work.isBatch) singles.add(entry);
    },

    remove: (entry) => {
      const queue = queueOf(entry);
      const at = queue.indexOf(entry);
      if (at !== -1) queue.splice(at, 1);
      if (queue.length === 0) names.delete(entry.item.name);
      singles.delete(entry);
    },

    isNext: (entry) => queueOf(entry)[0] === entry,

    isFree: (entry) => queueOf(entry).length === 0,

    urgent: () => {
      const found = new Set<Entry>();
      for (const single of singles) {
        const [first] = queueOf(single);
        if (first) dropStalePlan(first);
        if (first?.state === 'waiting' && !first.work.inOrder && mayGoOn(first.work)) found.add(first);
      }
      return [...found];
    },

    isAwaited: (entry) => queueOf(entry).some((other) => other !== entry && !other.work.isBatch),
  };
};

const halves = (entries: readonly Entry[]): Entry[][] => {
  const middle = Math.ceil(entries.length / 2);
  return [entries.slice(0, middle), entries.slice(middle)].filter(({ length }) => length > 0);
};

/** Sends these of a call in smaller company: in halves, where nothing of the call was settled. */
export const sendApart = (work: Work, entries: readonly Entry[], callSize: number): void => {
  if (entries.length > 0) work.apart.unshift(...(entries.length === callSize ? halves(entries) : [[...entries]]));
};

/** The next group of those that were refused together. */
const nextApart = ({ apart, entries, stopsAt }: Work, isReady: (entry: Entry) => boolean): Entry[] => {
  while (apart.length > 0) {
    const [group = []] = apart;
    const open = group.filter((entry) => {
      const { index } = entry.item;
      return entries.get(index) === entry && index < stopsAt && isReady(entry);
    });
    const [first] = open;
    if (first) return open.filter((entry) => stepNameOf(entry) === stepNameOf(first));
    apart.shift();
  }
  return [];
};

/**
 * Where order counts: what comes first, and what follows it that can go in the same call. Only the first waits for its thing; nothing else
 * of the operation is in a queue, so that no two operations wait for each other.
 */
const nextInOrder = (work: Work, { sizes }: Limits, queue: Queue): Entry[] => {
  const group: Entry[] = [];
  /** What ends without a call does not part those that go in one. */
  const passed = new Set<string>();
  const isAlone = (entry: Entry): boolean => queue.isNext(entry) || queue.isFree(entry);
  for (const entry of work.entries.values()) {
    const { name, index } = entry.item;
    dropStalePlan(entry);
    const foreseen = foreseenOf(entry);
    // Only where nobody is: else two operations could each keep what the other one has passed.
    if (foreseen && group.length > 0 && isDone(foreseen) && isAlone(entry)) {
      passed.add(name);
      continue;
    }
    const [first = entry] = group;
    const step = stepNameOf(first);
    const isFull = group.length >= (sizes[step] ?? 1);
    if (isFull || foreseen || isToBePlanned(entry) || index >= work.stopsAt || stepNameOf(entry) !== step) break;
    if (entry === first) queue.add(entry);
    if (!isAlone(entry)) break;
    if (passed.has(name) || group.some(({ item }) => item.name === name) || entry.isUncertain) break;
    group.push(entry);
    if (hasAnotherStep({ ...entry.item, steps: stepsOf(entry) })) break;
  }
  return group;
};

/**
 * The items of a batch that are to be planned now, together. In order: only where its next item is one; then those behind it too, whose
 * plans are void as soon as somebody is sent to their things.
 */
export const nextToPlan = (work: Work, queue: Queue, now: number): Entry[] => {
  const [head] = work.entries.values();
  if (!head || !work.isPlanned || now < work.planSoonAt) return [];
  if (now < work.planAt && !(work.inOrder && queue.isAwaited(head))) return [];
  if (work.inOrder) {
    dropStalePlan(head);
    if (work.busy > 0 || !isToBePlanned(head)) return [];
    queue.add(head);
    if (!queue.isNext(head)) return [];
  }
  const group: Entry[] = [];
  const names = new Set<string>();
  for (const entry of work.entries.values()) {
    const { name, index } = entry.item;
    if (index >= work.stopsAt) break;
    const isFirst = !names.has(name);
    names.add(name);
    dropStalePlan(entry);
    if (!isFirst || entry.state !== 'waiting' || entry.isUncertain || !isToBePlanned(entry)) continue;
    if (queue.isNext(entry) || (work.inOrder && queue.isFree(entry))) group.push(entry);
  }
  return group;
};

/** Of the first step that can be sent, as many as go in one call. */
const nextOfOneStep = (
  { entries }: Work,
  { sizes }: Limits,
  isReady: (entry: Entry) => boolean,
  held: ReadonlySet<string>,
): Entry[] => {
  const group: Entry[] = [];
  for (const entry of entries.values()) {
    const [first = entry] = group;
    const step = stepNameOf(first);
    if (group.length >= (sizes[step] ?? 1)) break;
    if (!isReady(entry) || stepNameOf(entry) !== step) continue;
    if (held.has(step)) break;
    group.push(entry);
  }
  return group;
};

const NONE: ReadonlySet<string> = new Set();

/** The items of a batch's next call; empty where none can be sent. @param held steps that nothing can be sent of */
export const nextOfBatch = (work: Work, limits: Limits, queue: Queue, held: ReadonlySet<string> = NONE): Entry[] => {
  if (work.inOrder && work.busy > 0) return [];
  const isReady = (entry: Entry): boolean => {
    if (entry.state !== 'waiting' || !queue.isNext(entry) || entry.isUncertain) return false;
    dropStalePlan(entry);
    return !isToBePlanned(entry);
  };
  const apart = nextApart(work, isReady);
  const [head] = work.entries.values();
  if (apart.length > 0 && (!work.inOrder || apart[0] === head)) return apart;
  return work.inOrder ? nextInOrder(work, limits, queue) : nextOfOneStep(work, limits, isReady, held);
};

/** A probe is made with an item that was sent least. */
export const leastSent = (group: readonly Entry[]): Entry =>
  group.reduce((least, entry) => ((entry.item.sends ?? 0) < (least.item.sends ?? 0) ? entry : least));
