/**
 * What became of one item, from evidence alone. The rules are a table: the first row that fits decides. `docs/design/verdicts.md` gives
 * the reason for each rule. Nothing here knows what an item is about: a step adds a thing, removes it, or sets a property of it.
 */

/**
 * What a step does: `add` and `remove` are not repeatable without a look; `set-visible` and `set-hidden` are, and only the former can be
 * read back.
 */
export const NATURES = ['add', 'remove', 'set-visible', 'set-hidden'] as const;
export type Nature = (typeof NATURES)[number];

/** Whether doing it twice is doing it once. */
export const isRepeatable = (nature: Nature): boolean => nature === 'set-visible' || nature === 'set-hidden';

/**
 * The vendor's word on the last call:
 * - `applied`: done. `taken`: a job does it.
 * - `exists`, `missing`, `refused`: about the thing of one item of the call: it is there, it is not there, a value is not accepted.
 * - `refused_all`: the account or the cluster is refused; nothing was done for any item.
 * - `busy_free`: later, and surely nothing was done: throttled, or not a byte was sent.
 * - `busy`: later; what was done is not said.
 * - `failed`: the vendor tried and failed.
 * - `none`: no word, or none that can be understood.
 */
export const WORDS = [
  'applied',
  'taken',
  'exists',
  'missing',
  'refused',
  'refused_all',
  'busy_free',
  'busy',
  'failed',
  'none',
] as const;
export type Word = (typeof WORDS)[number];

/** The vendor's job, where the word is `taken`. `running`: it has not ended, or nobody could look. `unlisted`: the vendor no longer lists it. */
export const JOBS = ['unknown', 'running', 'done', 'failed', 'unlisted'] as const;
export type Job = (typeof JOBS)[number];

/**
 * What reading back showed: `none` was not tried; `unreadable` gave no answer; `incomplete` is a listing without the thing that may have
 * left it out; `absent` is a complete listing without it, read after the time in which a lost call can still take effect; `present` and
 * `as_asked` (for `set-visible`: with the value asked for) count from any listing.
 */
export const READINGS = ['none', 'unreadable', 'incomplete', 'absent', 'present', 'as_asked'] as const;
export type Reading = (typeof READINGS)[number];

/** When what was found was made: before the first send, since then, or too close to tell. */
export const AGES = ['before', 'after', 'uncertain'] as const;
export type Age = (typeof AGES)[number];

/** What the last complete reading between the intent and the send showed. */
export const BASELINES = ['unread', 'absent', 'present'] as const;
export type Baseline = (typeof BASELINES)[number];

/** `suspect`: one of many, and nothing but a found item of the call explains why the vendor refused it. */
export const COMPANIES = ['alone', 'among', 'suspect'] as const;
export type Company = (typeof COMPANIES)[number];

/** Whether an earlier send of the same step may have had an effect. */
export const HISTORIES = ['first', 'again', 'owner_changed', 'store_lost'] as const;
export type History = (typeof HISTORIES)[number];

/** Whether there is time to wait and send again, or to follow a job further. */
export const PATIENCES = ['left', 'over'] as const;
export type Patience = (typeof PATIENCES)[number];

export interface Evidence {
  readonly word: Word;
  readonly job: Job;
  readonly reading: Reading;
  readonly age: Age;
  readonly baseline: Baseline;
  readonly company: Company;
  readonly history: History;
  readonly patience: Patience;
}

/**
 * Final: `done`; `was_there` and `was_missing`, before the item was sent; `refused` and `failed`, with nothing done; `unknown`.
 * To go on: `again` (send again when the vendor works), `again_apart` (in smaller company), `read` (read back), `follow` (the job).
 */
export type Verdict =
  | 'done'
  | 'was_there'
  | 'was_missing'
  | 'refused'
  | 'failed'
  | 'unknown'
  | 'again'
  | 'again_apart'
  | 'read'
  | 'follow';

const FINAL: ReadonlySet<Verdict> = new Set(['done', 'was_there', 'was_missing', 'refused', 'failed', 'unknown']);

export type FinalVerdict = Exclude<Verdict, 'again' | 'again_apart' | 'read' | 'follow'>;

export const isFinalVerdict = (verdict: Verdict): verdict is FinalVerdict => FINAL.has(verdict);

/** Evidence as the rows see it: jobs and words folded into what they say, and origin in place of age and baseline. */
interface Facts {
  readonly nature: Nature;
  readonly word: Exclude<Word, 'taken'> | 'running';
  readonly reading: Reading;
  /** Of a thing that was found after an `add`: made by this item, by somebody before it, or unclear. */
  readonly origin: 'ours' | 'theirs' | 'unclear';
  readonly age: Age;
  readonly baseline: Baseline;
  readonly company: Company;
  /** Whether this process knows that no earlier send had an effect. */
  readonly first: 'yes' | 'no';
  /** Whether there was one send only, from any process: then the baseline is from before all sends. */
  readonly once: 'yes' | 'no';
  readonly patience: Patience;
}

type Row = readonly [when: { readonly [Key in keyof Facts]?: readonly Facts[Key][] }, then: Verdict];

const ADD = ['add'] as const;
const REMOVE = ['remove'] as const;
const ONCE = ['add', 'remove'] as const;
const SET = ['set-visible', 'set-hidden'] as const;
const VISIBLE = ['set-visible'] as const;
const HIDDEN = ['set-hidden'] as const;
const FOUND = ['present', 'as_asked'] as const;
const DARK = ['incomplete', 'unreadable'] as const;
const MANY = ['among', 'suspect'] as const;
const UNREAD = ['none'] as const;
/** Words that leave open what was done, and those that say that nothing was. */
const OPEN_WORDS = ['busy', 'none'] as const;
/** Words about one thing of the call. */
const REFUSALS = ['exists', 'missing', 'refused'] as const;
const NOT_DONE_WORDS = ['busy_free', 'refused_all'] as const;

/** Vendors have words for what cannot be: those say no more than that the call failed. */
const foldWord = (nature: Nature, { word, job }: Evidence): Facts['word'] => {
  if (word === 'taken') {
    if (job === 'done') return 'applied';
    // A job that is not listed may still run, and nobody can follow it.
    return job === 'failed' ? 'failed' : 'running';
  }
  if ((word === 'exists' && nature !== 'add') || (word === 'missing' && nature === 'add')) return 'failed';
  return word;
};

const isOnce = ({ history }: Evidence): boolean => history === 'first' || history === 'owner_changed';

/**
 * A direct look before the send proves more than two clocks. Where they contradict each other, neither does. What was there before a
 * second send may be the late effect of the first.
 */
const originOf = (evidence: Evidence): Facts['origin'] => {
  const { age, baseline } = evidence;
  if (baseline === 'absent') return age === 'before' ? 'unclear' : 'ours';
  if (baseline === 'present') return age === 'before' || (age === 'uncertain' && isOnce(evidence)) ? 'theirs' : 'unclear';
  return age === 'after' ? 'ours' : age === 'before' ? 'theirs' : 'unclear';
};

const factsOf = (nature: Nature, evidence: Evidence): Facts => ({
  nature,
  word: foldWord(nature, evidence),
  reading: evidence.reading,
  origin: originOf(evidence),
  age: evidence.age,
  baseline: evidence.baseline,
  company: evidence.company,
  first: evidence.history === 'first' ? 'yes' : 'no',
  once: isOnce(evidence) ? 'yes' : 'no',
  patience: evidence.patience,
});

/** What a found thing shows after an `add`, and a thing that is gone, or there, after a `remove`. */
const ADDED: readonly Row[] = [
  [{ nature: ADD, reading: FOUND, origin: ['theirs'] }, 'was_there'],
  [{ nature: ADD, reading: FOUND, origin: ['unclear'] }, 'unknown'],
  [{ nature: ADD, reading: FOUND, word: ['exists'], company: ['alone', 'suspect'] }, 'unknown'],
  [{ nature: ADD, reading: FOUND }, 'done'],
];
const REMOVED: readonly Row[] = [
  [{ nature: REMOVE, reading: ['absent'], baseline: ['absent'], once: ['yes'] }, 'was_missing'],
  // The vendor refused it before it did anything, so somebody else was first.
  [{ nature: REMOVE, reading: ['absent'], word: ['refused'], company: ['alone'], first: ['yes'] }, 'was_missing'],
  // A thing that was gone before a second send may have gone by the first.
  [{ nature: REMOVE, reading: ['absent'], baseline: ['unread', 'absent'] }, 'unknown'],
  [{ nature: REMOVE, reading: ['absent'], word: ['missing'], company: ['suspect'] }, 'unknown'],
  [{ nature: REMOVE, reading: ['absent'] }, 'done'],
  // Made since the send: it is another thing of this name, which nobody asked to remove.
  [{ nature: REMOVE, reading: FOUND, word: ['refused'], company: ['alone'], first: ['yes'] }, 'refused'],
  [{ nature: REMOVE, reading: FOUND, age: ['after'] }, 'unknown'],
];
/** A property can only be set on a thing that is there. */
const SET_READ: readonly Row[] = [
  [{ nature: SET, reading: ['absent'] }, 'was_missing'],
  [{ nature: VISIBLE, reading: ['as_asked'] }, 'done'],
];

const TABLE: readonly Row[] = [
  [{ word: ['applied'] }, 'done'],

  // A job that runs is followed; when there is no time left, only what is found proves anything.
  [{ word: ['running'], patience: ['left'] }, 'follow'],
  [{ word: ['running'], nature: HIDDEN, reading: UNREAD }, 'unknown'],
  [{ word: ['running'], reading: UNREAD }, 'read'],

  // Words that settle the item without a look.
  [{ word: ['exists'], company: ['alone'], first: ['yes'] }, 'was_there'],
  [{ word: ['missing'], nature: SET, company: ['alone'] }, 'was_missing'],
  [{ word: ['missing'], company: ['alone'], first: ['yes'] }, 'was_missing'],
  [{ word: ['refused'], nature: ADD, company: ['alone'], first: ['yes'] }, 'refused'],
  [{ word: ['busy_free'], patience: ['left'] }, 'again'],
  [{ word: NOT_DONE_WORDS, first: ['yes'] }, 'failed'],
  [{ word: NOT_DONE_WORDS, nature: HIDDEN }, 'unknown'],

  // What may be repeated is repeated before anybody looks.
  [{ word: ['refused', 'failed', 'none'], nature: SET, company: MANY, patience: ['left'] }, 'again_apart'],
  [{ word: OPEN_WORDS, nature: SET, patience: ['left'] }, 'again'],
  [{ word: ['failed'], nature: HIDDEN, patience: ['left'] }, 'again'],

  // Everything else is read back.
  [{ reading: UNREAD }, 'read'],

  ...ADDED,
  ...REMOVED,
  ...SET_READ,
  [{ word: ['running'] }, 'unknown'],

  // The listing says nothing of the item. What may be repeated is sent alone, where the vendor's word is about it.
  [{ reading: DARK, nature: SET, word: ['missing'], company: MANY, patience: ['left'] }, 'again_apart'],
  [{ reading: DARK, word: ['refused'], company: ['alone'], first: ['yes'] }, 'refused'],
  [{ reading: DARK }, 'unknown'],

  // A complete listing shows that it is not done.
  [{ word: ['exists'], company: ['alone'] }, 'unknown'],
  [{ nature: HIDDEN, word: ['refused'], company: ['alone'], first: ['yes'] }, 'refused'],
  [{ nature: [...ONCE, ...VISIBLE], word: ['refused'], company: ['alone'] }, 'refused'],
  [{ nature: HIDDEN, word: ['missing'], company: MANY, patience: ['left'] }, 'again_apart'],
  [{ nature: HIDDEN }, 'unknown'],
  // In smaller company also where the vendor names a thing that no listing shows: the same call would end the same way for ever.
  [{ word: [...REFUSALS, 'failed', 'none'], company: MANY, patience: ['left'] }, 'again_apart'],
  [{ patience: ['left'] }, 'again'],
  [{}, 'failed'],
];

const fits = (when: Row[0], facts: Facts): boolean =>
  Object.entries(when).every(([key, values]) => (values as readonly unknown[]).includes(facts[key as keyof Facts]));

/** The verdict of the table. Pure: the same evidence gives the same verdict. */
export const verdict = (nature: Nature, evidence: Evidence): Verdict => {
  const facts = factsOf(nature, evidence);
  const row = TABLE.find(([when]) => fits(when, facts));
  return row?.[1] ?? 'unknown';
};
