/**
 * Secrets that vendors were sent a short time ago. A vendor that repeats what it was sent may do so in any later answer: of a list, of a job, or
 * about another user. They are kept in memory, for a bounded time.
 */
import type { Clock } from '../clock.js';
import type { Secret } from '../secret.js';
import { MIN_SPELT, type Needles, needlesOf } from './needles.js';

const KEPT_MS = 10 * 60_000;
/** The oldest are forgotten first. */
const MAX_KEPT = 5_000;

export interface RecentSecrets {
  note(secrets: readonly Secret[]): void;
  /** Those of which a spelling is in the text. @param canonical a text without its encodings */
  foundIn(canonical: string): Needles[];
  /** No one is longer; 0 where there is none. */
  readonly longest: number;
}

interface Kept {
  readonly needles: Needles;
  readonly until: number;
}

/** Needles that begin alike. */
interface Bucket {
  readonly byText: Map<string, Set<Needles>>;
  /** Of needles, with how many there are of each. */
  readonly lengths: Map<number, number>;
}

/** Of the characters of a needle by which it is looked up. */
const headOf = (text: string, at: number): number => {
  let head = 0;
  for (let index = at; index < at + MIN_SPELT; index++) head = (Math.imul(head, 0x01000193) ^ text.charCodeAt(index)) | 0;
  return head;
};

/** One look for each character of a text, however many needles there are. */
const createIndex = () => {
  const buckets = new Map<number, Bucket>();
  const textsOf = ({ decoded, base64 }: Needles): string[] => [...decoded, ...base64];

  const add = (needles: Needles): void => {
    for (const text of textsOf(needles)) {
      const head = headOf(text, 0);
      const bucket = buckets.get(head) ?? { byText: new Map(), lengths: new Map() };
      buckets.set(head, bucket);
      const { byText, lengths } = bucket;
      if (!byText.has(text)) lengths.set(text.length, (lengths.get(text.length) ?? 0) + 1);
      byText.set(text, (byText.get(text) ?? new Set()).add(needles));
    }
  };

  const remove = (needles: Needles): void => {
    for (const text of textsOf(needles)) {
      const head = headOf(text, 0);
      const { byText, lengths } = buckets.get(head) ?? {};
      const owners = byText?.get(text);
      owners?.delete(needles);
      if (!byText || !lengths || owners?.size !== 0) continue;
      byText.delete(text);
      const left = (lengths.get(text.length) ?? 1) - 1;
      if (left > 0) lengths.set(text.length, left);
      else lengths.delete(text.length);
      if (byText.size === 0) buckets.delete(head);
    }
  };

  const foundIn = (text: string): Set<Needles> => {
    const found = new Set<Needles>();
    if (buckets.size === 0) return found;
    for (let at = 0; at + MIN_SPELT <= text.length; at++) {
      const bucket = buckets.get(headOf(text, at));
      if (!bucket) continue;
      for (const length of bucket.lengths.keys())
        for (const needles of bucket.byText.get(text.slice(at, at + length)) ?? []) found.add(needles);
    }
    return found;
  };

  return { add, remove, foundIn };
};

export const createRecentSecrets = ({ monotonic }: Pick<Clock, 'monotonic'>): RecentSecrets => {
  /** By the text itself, the oldest first. */
  const kept = new Map<string, Kept>();
  const index = createIndex();
  let longest = 0;

  const forget = (exact: string, { needles }: Kept): void => {
    kept.delete(exact);
    index.remove(needles);
  };

  const forgetOld = (): void => {
    for (const [exact, one] of kept) {
      if (kept.size <= MAX_KEPT && one.until > monotonic()) return;
      forget(exact, one);
    }
    longest = 0;
  };

  return {
    note: (secrets) => {
      for (const secret of secrets) {
        const needles = needlesOf(secret);
        const { exact } = needles;
        if (exact.length < MIN_SPELT) continue;
        const known = kept.get(exact);
        if (known) forget(exact, known);
        kept.set(exact, { needles, until: monotonic() + KEPT_MS });
        index.add(needles);
        longest = Math.max(longest, exact.length);
      }
      forgetOld();
    },
    foundIn: (canonical) => [...index.foundIn(canonical)],
    get longest() {
      forgetOld();
      return longest;
    },
  };
};
