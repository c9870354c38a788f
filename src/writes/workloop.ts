/** Works off the items of one operation: sends, follows, reads back, and sends again what may be, until each is settled. */

import { GatewayError } from '../errors.js';
import { type StepOutcome, stepOf } from '../journal/item.js';
import type { ItemRecord } from '../journal/records.js';
import { boundedCall, CALL_MS, type Context, LOOK_AGAIN_MS, mayGoOn, noteFault, thingKey } from './context.js';
import { type Decision, type Doubt, decide, reconcile } from './evidence.js';
import { type Flight, follow, type Sent, sendInTurn } from './flight.js';
import { troubleOf } from './pace.js';
import { createPlan, leastSent } from './plan.js';
import { isRepeatable, type Nature } from './verdict.js';
import { readWritten } from './written.js';

/** Jobs of a vendor's that one operation has open at once: as many as one look at them shows. */
const MAX_OPEN_JOBS = 100;
const MAX_QUIET_SLICE_MS = 500;
/** So many failed jobs at once are looked into: the vendor may fail at all of them. */
const MAX_FAILED_JOBS = 7;
/** How long reading back is put off, once it can settle an item. */
const MAX_DOUBT_MS = 30_000;

/** What a group that was not sent waits for; undefined where it was. */
type Wait = Extract<Sent, 'nothing' | { readonly turn: string }> | undefined;

/** Refusals of a call that say nothing about the next one. */
const ONE_CALL_ONLY: ReadonlySet<string> = new Set(['vendor_permission_denied', 'internal_error']);

const notSent = (failure: GatewayError): GatewayError =>
  failure.withMessage(`${failure.message} Nothing more was sent.`, failure.code, 'none');

export const workOff = async (context: Context, recovered: readonly Flight[]): Promise<void> => {
  const { site, call, progress, pace, offsets, clock, baselines, settleMs, isBatch, inOrder, pause } = context;
  const { things, work, calls } = context;
  const limits = await site.limits(boundedCall(context, CALL_MS));
  const maxRunning = site.hasJobs ? MAX_OPEN_JOBS : limits.concurrency;
  const plan = createPlan(progress, limits, inOrder);
  const doubts = new Map<number, Doubt>();
  /** Being sent, or followed. */
  const busy = new Set<number>();
  const running = new Set<Promise<void>>();
  /** Groups that are sent, and those that wait for a thing that another operation is at. */
  const resting = new Set<Promise<void>>();
  let sending = 0;
  /** Not before then, by our clock. */
  let readAt = 0;
  const failures: unknown[] = [];

  const taken = (): ReadonlySet<number> => new Set([...busy, ...doubts.keys()]);

  /** Nothing more is sent: the vendor is refused, or fails at everything. */
  const giveUp = (failure: GatewayError): void => {
    progress.fatal ??= notSent(failure);
  };

  /** @returns whether waiting and sending again is worth it */
  const notePace = ({ word, job, error, sentAt }: Flight): boolean => {
    // The vendor works; reading back shows whether the thing explains the failure.
    if (job === 'failed') return true;
    if (!error || word === 'exists' || word === 'missing' || word === 'refused') {
      pace.success(sentAt);
      return true;
    }
    noteFault(context, error);
    const isRefused = word === 'refused_all';
    const goesOn = !isRefused && pace.trouble(troubleOf(error), error.retryAfterMs, sentAt);
    if (!goesOn && isBatch && !(isRefused && ONE_CALL_ONLY.has(error.code))) giveUp(error);
    return goesOn;
  };

  const noteAcknowledged = ({ step, items, sentAt, endedAt }: Flight): void => {
    if (step.nature !== 'add') return;
    for (const { name } of items) offsets.acknowledged(site.key, name, sentAt, endedAt);
  };

  /** Stores what was decided, and plans what is to be sent again. */
  const carryOut = async (flight: Flight, decisions: readonly { readonly item: ItemRecord; readonly decision: Decision }[]) => {
    const outcomes = new Map<number, StepOutcome>();
    const apart: number[] = [];
    for (const { item, decision } of decisions) {
      if (decision.kind === 'settled') outcomes.set(item.index, decision.outcome);
      if (decision.kind === 'again') {
        outcomes.set(item.index, { status: 'again', untouched: decision.untouched });
        if (!decision.wasRead) baselines.forget(item.name);
        if (decision.apart) apart.push(item.index);
      }
    }
    await progress.settle(outcomes);
    things.release(
      work.id,
      decisions.filter(({ item }) => outcomes.has(item.index)).map(({ item }) => thingKey(context, item)),
    );
    if (decisions.some(({ decision }) => decision.kind === 'settled')) pace.progress();
    plan.sendApart(apart, flight.items.length);
  };

  const conclude = async (ended: Flight): Promise<void> => {
    const flight: Flight = { ...ended, goesOn: notePace(ended) };
    const isDone = flight.word === 'applied' || flight.job === 'done';
    if (isDone) noteAcknowledged(flight);
    const undecided: Doubt[] = [];
    const decisions: { item: ItemRecord; decision: Decision }[] = [];
    for (const item of flight.items) {
      const doubt: Doubt = { item, flight };
      const decision = isDone ? await readWritten(context, doubt) : decide(context, doubt);
      if (decision.kind === 'read') undecided.push(doubt);
      else decisions.push({ item, decision });
    }
    // What was given up may still come about: its record stays unchanged for the process that resumes it.
    if (call.signal.aborted) return;
    await carryOut(flight, decisions);
    for (const doubt of undecided) doubts.set(doubt.item.index, doubt);
  };

  /** @returns what to wait for, where nothing was sent */
  const fly = async (group: readonly ItemRecord[]): Promise<Wait> => {
    sending++;
    const asked = { context, items: group };
    const calling = isBatch ? calls.batch : calls.single;
    const sent = await sendInTurn(asked, (each) => calling(limits, each)).finally(() => {
      sending--;
    });
    if (sent === 'nothing' || 'turn' in sent) return sent;
    if ('refused' in sent) {
      await progress.settle(sent.refused);
      return undefined;
    }
    // A vendor that takes jobs is at work.
    if (sent.jobId !== undefined) pace.taken(sent.sentAt);
    await conclude(sent.jobId === undefined ? sent : await follow(context, sent));
    return undefined;
  };

  const track = (among: Set<Promise<void>>, work: Promise<unknown>): void => {
    const tracked: Promise<void> = work
      .then(
        () => undefined,
        (thrown: unknown) => void (call.signal.aborted || failures.push(thrown)),
      )
      .finally(() => among.delete(tracked));
    among.add(tracked);
  };

  /** A moment, or until it is the turn of this operation at a thing. */
  const rest = async (wait: Wait): Promise<void> => {
    if (wait === undefined) return;
    const over = new AbortController();
    const moment = clock.sleep(LOOK_AGAIN_MS, AbortSignal.any([call.signal, over.signal]));
    await (wait === 'nothing' ? moment : Promise.race([things.turn(work.id, wait.turn, over.signal), moment]));
    over.abort();
  };

  /** Items of a group that was not sent rest, and leave the calls to the others. */
  const start = (items: readonly ItemRecord[], flying: Promise<Wait>): void => {
    for (const { index } of items) busy.add(index);
    track(running, flying);
    const rested = flying
      .then(rest, () => undefined)
      .finally(() => {
        for (const { index } of items) busy.delete(index);
      });
    track(resting, rested);
  };

  /** What another process left behind: its jobs are followed; what may be repeated is, once nothing of it is under way; the rest is read back. */
  const resume = (flight: Flight): void => {
    if (flight.jobId === undefined && isRepeatable(flight.step.nature)) {
      const again = { kind: 'again', apart: false, untouched: false, wasRead: false } as const;
      const decisions = flight.items.map((item) => ({ item, decision: again }));
      const rested = clock.sleep(Math.max(flight.endedAt - clock.now(), 0), call.signal);
      start(
        flight.items,
        rested.then(async () => {
          if (!call.signal.aborted) await carryOut(flight, decisions);
          return undefined;
        }),
      );
      return;
    }
    if (flight.jobId === undefined) {
      for (const item of flight.items) doubts.set(item.index, { item, flight });
      return;
    }
    start(
      flight.items,
      follow(context, flight)
        .then(conclude)
        .then(() => undefined),
    );
  };

  /** Jobs that failed for no reason that their things show. */
  const noteFailedJob = ({ flight }: Doubt, decision: Decision): void => {
    if (flight.job !== 'failed' || !flight.error) return;
    const isExplained = decision.kind === 'settled' && decision.outcome.status !== 'failed';
    if (isExplained) pace.success(clock.now());
    else if (!pace.trouble(troubleOf(flight.error), undefined, clock.now()) && isBatch) giveUp(flight.error);
  };

  const readDoubts = async (goesOn: boolean): Promise<void> => {
    const all = [...doubts.values()];
    const decided = await reconcile(context, all, goesOn);
    if (call.signal.aborted) return;
    for (const flight of new Set(all.map((doubt) => doubt.flight))) {
      const decisions = decided.filter(({ doubt }) => doubt.flight === flight);
      await carryOut(
        flight,
        decisions.map(({ doubt, decision }) => ({ item: doubt.item, decision })),
      );
    }
    for (const { doubt, decision } of decided) {
      if (decision.kind !== 'read') doubts.delete(doubt.item.index);
      noteFailedJob(doubt, decision);
    }
    if (doubts.size === 0) return;
    // The cluster cannot be read, like all of the vendor: it is read again later.
    const startedAt = clock.now();
    const [{ flight }] = [...doubts.values()] as [Doubt];
    if (!pace.trouble('unavailable', undefined, startedAt) && flight.error) giveUp(flight.error);
    readAt = startedAt + pace.quietMs();
  };

  /**
   * Reading is put off while other items can be sent: they find out whether the vendor works at all, the list comes to rest, and what a lost
   * call can still do is done by then. Doubts that are old are not put off.
   */
  const isTimeToRead = (group: readonly ItemRecord[], goesOn: boolean): boolean => {
    if (doubts.size === 0 || pause.aborted || (goesOn && clock.now() < readAt)) return false;
    if (inOrder) return true;
    if (!goesOn) return sending === 0;
    if (group.length === 0 && running.size === 0) return true;
    const failedJobs = [...doubts.values()].filter(({ flight }) => flight.job === 'failed').length;
    if (failedJobs >= MAX_FAILED_JOBS) return true;
    const oldest = Math.min(...[...doubts.values()].map(({ flight }) => flight.endedAt));
    return !pace.isProbing() && clock.now() >= oldest + settleMs + MAX_DOUBT_MS;
  };

  /** What was sent without a word and is not sent again, and can be read back. */
  const readProperties = async (): Promise<void> => {
    const isVisible = (item: ItemRecord): boolean => site.step(stepOf(item)).nature === 'set-visible';
    const open = progress.unsettled().filter((item) => (item.sends ?? 0) > 0 && isVisible(item));
    if (open.length === 0) return;
    const now = clock.now();
    const flown = { sentAt: now, endedAt: now, word: 'none', job: 'unknown', goesOn: false } as const;
    for (const item of open) {
      const error = progress.fatal ?? new GatewayError('vendor_timeout', 'The vendor did not answer.');
      doubts.set(item.index, { item, flight: { ...flown, step: site.step(stepOf(item)), items: [item], error } });
    }
    await readDoubts(false);
  };

  /** Reads who is there, before anything is sent that is judged by it. */
  const prepare = async (): Promise<void> => {
    const names = (nature: Nature): string[] =>
      progress
        .unsettled()
        .filter((item) => site.step(stepOf(item)).nature === nature)
        .map(({ name }) => name);
    // A vendor in trouble is not asked for more than it has to be.
    if (isBatch && pace.isProbing()) return;
    await baselines.prepare({ created: names('add'), deleted: names('remove') }, call);
  };

  /** Waits for what is under way, and for the vendor. @returns false when there is nothing to wait for */
  const wait = async (group: readonly ItemRecord[]): Promise<boolean> => {
    const events = [...running, ...resting];
    const isReading = doubts.size > 0 && !pause.aborted;
    const restMs = Math.max(group.length > 0 ? pace.quietMs() : 0, isReading ? readAt - clock.now() : 0);
    if (restMs > 0) events.push(clock.sleep(Math.min(restMs, MAX_QUIET_SLICE_MS), call.signal));
    if (events.length > 0) await Promise.race(events);
    // A wait that was over just now leaves no event, but work.
    return events.length > 0 || group.length > 0 || isReading;
  };

  /** @returns false when nothing is left to be done here */
  const proceed = async (): Promise<boolean> => {
    const goesOn = await mayGoOn(context);
    const group = goesOn ? plan.next(taken()) : [];
    if (isTimeToRead(group, goesOn)) {
      await readDoubts(goesOn);
      return true;
    }
    const mayStart = pace.isProbing() ? sending === 0 : running.size < maxRunning;
    if (group.length === 0 || !mayStart || pace.quietMs() > 0) return wait(group);
    await prepare();
    const sent = pace.isFailing() ? [leastSent(group)] : group;
    start(sent, fly(sent));
    return true;
  };

  for (const flight of recovered) resume(flight);
  try {
    while (failures.length === 0 && !call.signal.aborted && (await proceed()));
    if (failures.length === 0 && !call.signal.aborted && !pause.aborted) await readProperties();
  } catch (thrown) {
    failures.push(thrown);
  }
  await Promise.all([...running, ...resting]);
  things.releaseAll(work.id);
  if (failures.length > 0 && !call.signal.aborted) throw failures[0];
};
