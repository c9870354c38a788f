/** The verdict table over all combinations of evidence: no verdict claims more than the evidence shows, and every item gets an end. */
import { describe, expect, it } from '@jest/globals';
import {
  AGES,
  BASELINES,
  COMPANIES,
  type Evidence,
  HISTORIES,
  isFinalVerdict,
  JOBS,
  NATURES,
  type Nature,
  PATIENCES,
  READINGS,
  type Verdict,
  verdict,
  WORDS,
} from '../../src/writes/verdict.js';

const VERDICTS: readonly Verdict[] = [
  'done',
  'was_there',
  'was_missing',
  'refused',
  'failed',
  'unknown',
  'again',
  'again_apart',
  'read',
  'follow',
];

/** A lost answer to the first send of an item that was alone; nothing was read yet. */
const LOST: Evidence = {
  word: 'none',
  job: 'unknown',
  reading: 'none',
  age: 'uncertain',
  baseline: 'unread',
  company: 'alone',
  history: 'first',
  patience: 'left',
};

interface Case extends Evidence {
  readonly nature: Nature;
}

/** The job is evidence of `taken` only. */
const WORDS_AND_JOBS = WORDS.flatMap((word): Pick<Evidence, 'word' | 'job'>[] =>
  word === 'taken' ? JOBS.map((job) => ({ word, job })) : [{ word, job: 'unknown' }],
);

/** Each of `some` with each value of one more kind of evidence. */
const crossed = <Given, Key extends string, Value>(some: readonly Given[], key: Key, values: readonly Value[]) =>
  some.flatMap((given) => values.map((value) => ({ ...given, [key]: value }) as Given & Record<Key, Value>));

const ORIGINS = crossed(crossed(crossed(WORDS_AND_JOBS, 'reading', READINGS), 'age', AGES), 'baseline', BASELINES);
const SENDS = crossed(crossed(crossed(ORIGINS, 'company', COMPANIES), 'history', HISTORIES), 'patience', PATIENCES);
const CASES: readonly Case[] = crossed(SENDS, 'nature', NATURES);

const DECIDED = CASES.map((given) => ({ given, end: verdict(given.nature, given) }));

/** The combinations that break a rule. Few of them are enough to see what is wrong. */
const against = (rule: (given: Case, end: Verdict) => boolean) =>
  DECIDED.filter(({ given, end }) => !rule(given, end)).slice(0, 3);

const isConfirmed = ({ word, job }: Case): boolean => word === 'applied' || (word === 'taken' && job === 'done');
/** A job that is not listed may still run. */
const mayRun = ({ word, job }: Case): boolean => word === 'taken' && job !== 'done' && job !== 'failed';
const isFound = ({ reading }: Case): boolean => reading === 'present' || reading === 'as_asked';
const isFirst = ({ history }: Case): boolean => history === 'first';
/** One send, of this process or of another: what was read before it was read before all sends. */
const isSentOnce = ({ history }: Case): boolean => history === 'first' || history === 'owner_changed';
const isAlone = ({ company }: Case): boolean => company === 'alone';
const isSet = ({ nature }: Case): boolean => nature === 'set-visible' || nature === 'set-hidden';
/** The vendor said, of this send, that nothing was done for any item. */
const isFree = ({ word }: Case): boolean => word === 'busy_free' || word === 'refused_all';
const isAgain = (end: Verdict): boolean => end === 'again' || end === 'again_apart';

/** A complete reading that shows that the step was not done, or not by us. */
const showsNotDone = (given: Case): boolean => {
  if (given.nature === 'add') return given.reading === 'absent';
  if (given.nature === 'remove') return isFound(given) && given.age !== 'after';
  return given.nature === 'set-visible' && given.reading === 'present';
};

describe('the verdict table', () => {
  it('has a verdict for every combination of evidence', () => {
    expect(CASES).toHaveLength(72_576);
    expect(against((_, end) => VERDICTS.includes(end))).toEqual([]);
    expect(new Set(DECIDED.map(({ end }) => end))).toEqual(new Set(VERDICTS));
  });

  it('is pure', () => {
    expect(against((given, end) => verdict(given.nature, Object.freeze({ ...given })) === end)).toEqual([]);
  });

  it('ignores the job unless the vendor named one', () => {
    const some = DECIDED.filter(({ given }, at) => given.word !== 'taken' && at % 7 === 0);
    const differing = some.filter(({ given, end }) => JOBS.some((job) => verdict(given.nature, { ...given, job }) !== end));
    expect(differing).toEqual([]);
  });
});

describe('every item gets an end', () => {
  it('is final once it was read and the patience is over', () => {
    expect(against(({ reading, patience }, end) => reading === 'none' || patience === 'left' || isFinalVerdict(end))).toEqual([]);
  });

  it('is final or read when the patience is over', () => {
    expect(against(({ patience }, end) => patience === 'left' || end === 'read' || isFinalVerdict(end))).toEqual([]);
  });

  it('reads once', () => {
    expect(against(({ reading }, end) => end !== 'read' || reading === 'none')).toEqual([]);
  });

  it('follows only a job that runs', () => {
    expect(against((given, end) => end !== 'follow' || (mayRun(given) && given.patience === 'left'))).toEqual([]);
  });

  it('repeats a call for many only where waiting can change its end', () => {
    const canChange = ({ word }: Case): boolean => ['busy_free', 'refused_all', 'busy'].includes(word);
    expect(against((given, end) => end !== 'again' || isAlone(given) || canChange(given))).toEqual([]);
  });

  it('splits only calls for many', () => {
    expect(against((given, end) => end !== 'again_apart' || !isAlone(given))).toEqual([]);
  });
});

describe('no verdict claims more than the evidence shows', () => {
  it('done', () => {
    const isOurs = ({ age, baseline }: Case): boolean =>
      baseline === 'absent' ? age !== 'before' : baseline === 'unread' && age === 'after';
    const isShown = (given: Case): boolean => {
      const { nature, word, reading, baseline, company } = given;
      if (nature === 'add') return isFound(given) && isOurs(given) && !(word === 'exists' && company !== 'among');
      if (nature === 'remove')
        return reading === 'absent' && baseline === 'present' && !(word === 'missing' && company === 'suspect');
      return nature === 'set-visible' && reading === 'as_asked';
    };
    expect(against((given, end) => end !== 'done' || isConfirmed(given) || isShown(given))).toEqual([]);
  });

  it('was_there', () => {
    const isSaid = (given: Case): boolean => given.word === 'exists' && isAlone(given) && isFirst(given);
    const isShown = (given: Case): boolean =>
      isFound(given) &&
      given.baseline !== 'absent' &&
      (given.age === 'before' || (given.age === 'uncertain' && given.baseline === 'present' && isSentOnce(given)));
    expect(against((given, end) => end !== 'was_there' || (given.nature === 'add' && (isSaid(given) || isShown(given))))).toEqual(
      [],
    );
  });

  it('was_missing', () => {
    const isSaid = (given: Case): boolean => given.word === 'missing' && isAlone(given) && (isFirst(given) || isSet(given));
    const isNotOurs = (given: Case): boolean =>
      isSet(given) ||
      (given.baseline === 'absent' && isSentOnce(given)) ||
      (given.word === 'refused' && isAlone(given) && isFirst(given));
    const isShown = (given: Case): boolean => given.reading === 'absent' && isNotOurs(given);
    expect(
      against((given, end) => end !== 'was_missing' || (given.nature !== 'add' && (isSaid(given) || isShown(given)))),
    ).toEqual([]);
  });

  it('refused', () => {
    const isSaid = (given: Case): boolean => given.word === 'refused' && isAlone(given);
    // What an earlier send may have done is not refused by a later word.
    const isShown = (given: Case): boolean => isFirst(given) || showsNotDone(given);
    expect(against((given, end) => end !== 'refused' || (isSaid(given) && isShown(given)))).toEqual([]);
  });

  it('failed', () => {
    const isSurelyNotDone = (given: Case): boolean => (isFree(given) && isFirst(given)) || showsNotDone(given);
    expect(against((given, end) => end !== 'failed' || (!mayRun(given) && isSurelyNotDone(given)))).toEqual([]);
  });

  it('failed, of a property that cannot be read, only where nothing was sent', () => {
    expect(
      against((given, end) => end !== 'failed' || given.nature !== 'set-hidden' || (isFree(given) && isFirst(given))),
    ).toEqual([]);
  });

  it('again, of what is not repeatable, only where it was not done', () => {
    expect(against((given, end) => !isAgain(end) || isSet(given) || given.word === 'busy_free' || showsNotDone(given))).toEqual(
      [],
    );
  });

  it('again only while there is patience', () => {
    expect(against(({ patience }, end) => !isAgain(end) || patience === 'left')).toEqual([]);
  });

  it('a call that nothing explains makes verdicts less certain only', () => {
    const differing = DECIDED.filter(
      ({ given, end }) => given.company === 'suspect' && end !== verdict(given.nature, { ...given, company: 'among' }),
    );
    expect(new Set(differing.map(({ end }) => end))).toEqual(new Set(['unknown']));
  });
});

describe('the table knows what can be known', () => {
  const NAMED: readonly [string, Nature, Partial<Evidence>, Verdict][] = [
    // Words that need no look.
    ['a confirmed create', 'add', { word: 'applied' }, 'done'],
    ['a confirmed batch', 'add', { word: 'applied', company: 'among' }, 'done'],
    ['a create of a name that is taken', 'add', { word: 'exists' }, 'was_there'],
    ['a delete of nobody', 'remove', { word: 'missing' }, 'was_missing'],
    ['a role of nobody', 'set-visible', { word: 'missing' }, 'was_missing'],
    ['a password of nobody, sent before', 'set-hidden', { word: 'missing', history: 'again' }, 'was_missing'],
    ['a refused name', 'add', { word: 'refused' }, 'refused'],
    ['a refused account', 'remove', { word: 'refused_all', company: 'among' }, 'failed'],

    // Busy.
    ['throttled', 'add', { word: 'busy_free' }, 'again'],
    ['throttled for too long', 'add', { word: 'busy_free', patience: 'over' }, 'failed'],
    [
      'throttled for too long, after a send without an answer',
      'add',
      { word: 'busy_free', patience: 'over', history: 'again' },
      'read',
    ],
    [
      'a password, throttled after a send without an answer',
      'set-hidden',
      { word: 'busy_free', patience: 'over', history: 'again' },
      'unknown',
    ],
    ['a busy vendor, create', 'add', { word: 'busy' }, 'read'],
    ['a busy vendor, not created', 'add', { word: 'busy', reading: 'absent' }, 'again'],
    ['a busy vendor, not created, for too long', 'add', { word: 'busy', reading: 'absent', patience: 'over' }, 'failed'],
    ['a busy vendor, not deleted', 'remove', { word: 'busy', reading: 'present', baseline: 'present' }, 'again'],
    ['a busy vendor, role', 'set-visible', { word: 'busy' }, 'again'],
    ['a busy vendor, password, for too long', 'set-hidden', { word: 'busy', patience: 'over', reading: 'present' }, 'unknown'],
    ['a busy vendor, a batch', 'add', { word: 'busy', reading: 'absent', company: 'among' }, 'again'],

    // Half-applied batches.
    ['half-applied create: to be read', 'add', { word: 'exists', company: 'among' }, 'read'],
    [
      'half-applied create: made by the call',
      'add',
      { word: 'exists', company: 'among', reading: 'present', age: 'after' },
      'done',
    ],
    [
      'half-applied create: made by the call, seen before',
      'add',
      { word: 'exists', company: 'among', reading: 'present', baseline: 'absent' },
      'done',
    ],
    [
      'half-applied create: the taken name',
      'add',
      { word: 'exists', company: 'among', reading: 'present', age: 'before' },
      'was_there',
    ],
    [
      'half-applied create: the taken name, seen before',
      'add',
      { word: 'exists', company: 'among', reading: 'present', baseline: 'present' },
      'was_there',
    ],
    ['half-applied create: behind the taken name', 'add', { word: 'exists', company: 'among', reading: 'absent' }, 'again_apart'],
    ['half-applied create: nobody knows', 'add', { word: 'exists', company: 'among', reading: 'present' }, 'unknown'],
    [
      'create of which nothing explains the refusal',
      'add',
      { word: 'exists', company: 'suspect', reading: 'present', age: 'after' },
      'unknown',
    ],
    ['half-applied delete: to be read', 'remove', { word: 'missing', company: 'among' }, 'read'],
    [
      'half-applied delete: gone by the call',
      'remove',
      { word: 'missing', company: 'among', reading: 'absent', baseline: 'present' },
      'done',
    ],
    [
      'half-applied delete: the missing name',
      'remove',
      { word: 'missing', company: 'among', reading: 'absent', baseline: 'absent' },
      'was_missing',
    ],
    [
      'half-applied delete: behind the missing name',
      'remove',
      { word: 'missing', company: 'among', reading: 'present', baseline: 'present' },
      'again_apart',
    ],
    ['half-applied delete: nobody knows', 'remove', { word: 'missing', company: 'among', reading: 'absent' }, 'unknown'],
    [
      'delete of which nothing explains the refusal',
      'remove',
      { word: 'missing', company: 'suspect', reading: 'absent', baseline: 'present' },
      'unknown',
    ],
    ['roles, one of nobody', 'set-visible', { word: 'missing', company: 'among', reading: 'present' }, 'again_apart'],
    ['passwords, one of nobody', 'set-hidden', { word: 'missing', company: 'among', reading: 'present' }, 'again_apart'],
    [
      'passwords, one of nobody, not to be read',
      'set-hidden',
      { word: 'missing', company: 'among', reading: 'unreadable' },
      'again_apart',
    ],
    ['passwords, nobody of the call', 'set-hidden', { word: 'missing', company: 'among', reading: 'absent' }, 'was_missing'],

    // A dead agent.
    ['dead agent, create: to be read', 'add', { word: 'failed' }, 'read'],
    ['dead agent, a batch', 'add', { word: 'failed', company: 'among', reading: 'absent' }, 'again_apart'],
    ['dead agent, alone', 'add', { word: 'failed', reading: 'absent', patience: 'over' }, 'failed'],
    ['dead agent, but created', 'add', { word: 'failed', reading: 'present', age: 'after', patience: 'over' }, 'done'],
    ['dead agent, delete', 'remove', { word: 'failed', reading: 'present', baseline: 'present', patience: 'over' }, 'failed'],
    ['dead agent, role', 'set-visible', { word: 'failed', reading: 'present', patience: 'over' }, 'failed'],
    ['dead agent, roles of many', 'set-visible', { word: 'failed', company: 'among' }, 'again_apart'],
    ['dead agent, password', 'set-hidden', { word: 'failed' }, 'again'],
    ['dead agent, password, for too long', 'set-hidden', { word: 'failed', reading: 'present', patience: 'over' }, 'unknown'],
    ['dead agent that cannot be read either', 'add', { word: 'failed', reading: 'unreadable', patience: 'over' }, 'unknown'],

    // Jobs.
    ['a job that runs', 'add', { word: 'taken', job: 'running' }, 'follow'],
    ['a job that runs on: to be read', 'add', { word: 'taken', job: 'running', patience: 'over' }, 'read'],
    ['a job that runs on', 'add', { word: 'taken', job: 'running', patience: 'over', reading: 'absent' }, 'unknown'],
    [
      'a job that runs on, but has created',
      'add',
      { word: 'taken', job: 'running', patience: 'over', reading: 'present', age: 'after' },
      'done',
    ],
    ['a delete job that runs on', 'remove', { word: 'taken', job: 'running', patience: 'over', reading: 'present' }, 'unknown'],
    [
      'a role job that runs on',
      'set-visible',
      { word: 'taken', job: 'running', patience: 'over', reading: 'present' },
      'unknown',
    ],
    ['a password job that runs on', 'set-hidden', { word: 'taken', job: 'running', patience: 'over' }, 'unknown'],
    ['a job that is done', 'set-hidden', { word: 'taken', job: 'done' }, 'done'],
    ['a job that failed: to be read', 'add', { word: 'taken', job: 'failed' }, 'read'],
    ['a job that failed', 'add', { word: 'taken', job: 'failed', reading: 'absent', patience: 'over' }, 'failed'],
    [
      'a job that failed, of a taken name',
      'add',
      { word: 'taken', job: 'failed', reading: 'present', age: 'before' },
      'was_there',
    ],
    ['an unlisted job: to be read', 'add', { word: 'taken', job: 'unlisted', patience: 'over' }, 'read'],
    [
      'an unlisted job that has created',
      'add',
      { word: 'taken', job: 'unlisted', patience: 'over', reading: 'present', age: 'after' },
      'done',
    ],
    [
      'an unlisted job that has not created',
      'add',
      { word: 'taken', job: 'unlisted', patience: 'over', reading: 'absent' },
      'unknown',
    ],
    [
      'an unlisted job that has not deleted',
      'remove',
      { word: 'taken', job: 'unlisted', patience: 'over', reading: 'present' },
      'unknown',
    ],
    [
      'an unlisted job of a password',
      'set-hidden',
      { word: 'taken', job: 'unlisted', patience: 'over', reading: 'present' },
      'unknown',
    ],

    // Lost answers.
    ['a lost create: to be read', 'add', {}, 'read'],
    ['a lost create that took effect', 'add', { reading: 'present', age: 'after' }, 'done'],
    ['a lost create that took effect, clock unknown', 'add', { reading: 'present', baseline: 'absent' }, 'done'],
    ['a lost create, clock unknown, not read before', 'add', { reading: 'present' }, 'unknown'],
    ['a lost create that did not arrive', 'add', { reading: 'absent' }, 'again'],
    ['a lost create of a taken name', 'add', { reading: 'present', age: 'before' }, 'was_there'],
    ['a lost create, the listing has a hole', 'add', { reading: 'incomplete', patience: 'over' }, 'unknown'],
    [
      'a lost create that is found in a listing with a hole',
      'add',
      { reading: 'present', baseline: 'absent', patience: 'over' },
      'done',
    ],
    [
      'a lost create of another process',
      'add',
      { history: 'owner_changed', reading: 'present', baseline: 'present' },
      'was_there',
    ],
    ['a lost delete that took effect', 'remove', { reading: 'absent', baseline: 'present' }, 'done'],
    ['a lost delete that did not arrive', 'remove', { reading: 'present', baseline: 'present' }, 'again'],
    ['a lost delete of nobody', 'remove', { reading: 'absent', baseline: 'absent' }, 'was_missing'],
    [
      'a lost delete of nobody, of another process',
      'remove',
      { reading: 'absent', baseline: 'absent', history: 'owner_changed' },
      'was_missing',
    ],
    ['a lost delete, not read before', 'remove', { reading: 'absent' }, 'unknown'],
    ['a lost role', 'set-visible', {}, 'again'],
    ['a lost role for the last time', 'set-visible', { patience: 'over' }, 'read'],
    ['a lost role that took effect', 'set-visible', { patience: 'over', reading: 'as_asked' }, 'done'],
    ['a lost role that did not arrive', 'set-visible', { patience: 'over', reading: 'present' }, 'failed'],
    ['a lost password', 'set-hidden', {}, 'again'],
    ['a lost password for the last time', 'set-hidden', { patience: 'over', reading: 'present' }, 'unknown'],
    ['lost passwords', 'set-hidden', { company: 'among' }, 'again_apart'],
    ['a lost batch that did not arrive', 'add', { company: 'among', reading: 'absent' }, 'again_apart'],

    // A late effect of the first send.
    ['exists, of a second create', 'add', { word: 'exists', history: 'again' }, 'read'],
    [
      'exists, of a second create, made since',
      'add',
      { word: 'exists', history: 'again', reading: 'present', age: 'after' },
      'unknown',
    ],
    [
      'exists, of a second create, made long before',
      'add',
      { word: 'exists', history: 'again', reading: 'present', age: 'before' },
      'was_there',
    ],
    ['exists, of a second create, not shown', 'add', { word: 'exists', history: 'again', reading: 'absent' }, 'unknown'],
    ['there before the second create', 'add', { history: 'again', reading: 'present', baseline: 'present' }, 'unknown'],
    [
      'missing, of a second delete, there before it',
      'remove',
      { word: 'missing', history: 'again', reading: 'absent', baseline: 'present' },
      'done',
    ],
    [
      'gone before the second delete',
      'remove',
      { word: 'missing', history: 'again', reading: 'absent', baseline: 'absent' },
      'unknown',
    ],
    ['made again after a lost delete', 'remove', { reading: 'present', baseline: 'present', age: 'after' }, 'unknown'],
    ['a refused second create, not made', 'add', { word: 'refused', history: 'again', reading: 'absent' }, 'refused'],
    [
      'a refused second create, made by the first',
      'add',
      { word: 'refused', history: 'again', reading: 'present', age: 'after' },
      'done',
    ],
    ['a refused second password', 'set-hidden', { word: 'refused', history: 'again', reading: 'present' }, 'unknown'],
    ['a refused password', 'set-hidden', { word: 'refused', reading: 'present' }, 'refused'],
    ['a refused password, not to be read', 'set-hidden', { word: 'refused', reading: 'unreadable' }, 'refused'],
    ['a refused delete of somebody whom another deleted', 'remove', { word: 'refused', reading: 'absent' }, 'was_missing'],
    ['a refused delete', 'remove', { word: 'refused', reading: 'present', age: 'after' }, 'refused'],
    ['a store that lost changes', 'add', { word: 'exists', history: 'store_lost', reading: 'present' }, 'unknown'],

    // Errors of clocks.
    ['made after us by its clock, seen before', 'add', { reading: 'present', age: 'after', baseline: 'present' }, 'unknown'],
    ['made before us by its clock, not seen before', 'add', { reading: 'present', age: 'before', baseline: 'absent' }, 'unknown'],
    ['taken name, clock unknown, seen before', 'add', { reading: 'present', baseline: 'present' }, 'was_there'],

    // Words that cannot be.
    ['exists, of a delete', 'remove', { word: 'exists', reading: 'present', baseline: 'present', patience: 'over' }, 'failed'],
    ['missing, of a create', 'add', { word: 'missing', reading: 'absent', patience: 'over' }, 'failed'],
    ['exists, of a role', 'set-visible', { word: 'exists', reading: 'as_asked' }, 'done'],
  ];

  it.each(NAMED)('%s', (_, nature, evidence, expected) => {
    expect(verdict(nature, { ...LOST, ...evidence })).toBe(expected);
  });
});
