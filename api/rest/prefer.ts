/** The preferences of RFC 7240 that the gateway knows. */
export interface Preference {
  /** Whether the caller takes 202 for a write that has not ended. */
  readonly respondAsync?: boolean;
  /** How long the caller waits; undefined leaves it to the gateway. */
  readonly waitMs?: number | undefined;
  /** The operation itself is the answer, 202 however far it is. */
  readonly isImplied?: true;
}

/** Of an operation of the document that never waits, without a word of the caller. */
export const AT_ONCE: Preference = { respondAsync: true, waitMs: 0, isImplied: true };

/** A longer field is ignored. */
const MAX_LENGTH = 1_024;

/** One preference, up to the next comma: its name, and its value as a quoted string or a token. Parameters mean nothing here. */
const PREFERENCE = /^\s*([!#$%&'*+.^_`|~\w-]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*))\s*)?(?:;.*)?$/s;
/** Commas within quotes belong to a value. */
const PARTS = /(?:"(?:[^"\\]|\\.)*"|[^,"])+/gs;

/** Values by name; the first of a name counts (section 2). What is not valid is ignored. */
const preferencesOf = (prefer: string): Map<string, string> => {
  const found = new Map<string, string>();
  for (const [part] of prefer.length > MAX_LENGTH ? [] : prefer.matchAll(PARTS)) {
    const [, name, quoted, token = ''] = PREFERENCE.exec(part) ?? [];
    if (name === undefined || found.has(name.toLowerCase())) continue;
    found.set(name.toLowerCase(), quoted?.replace(/\\(.)/gs, '$1') ?? token);
  }
  return found;
};

/** Both together: wait for so long, then answer 202 (section 4.3). What is not valid is ignored. */
export const readPrefer = (prefer: string | undefined, longestMs: number): Preference => {
  const given = preferencesOf(prefer ?? '');
  const respondAsync = given.get('respond-async') === '';
  const wait = given.get('wait') ?? '';
  const waitMs = /^\d{1,6}$/.test(wait) ? Math.min(Number(wait) * 1000, longestMs) : undefined;
  return { respondAsync, waitMs };
};

/** The `Preference-Applied` header for these preferences; none where there are none. */
export const applying = ({ respondAsync = false, waitMs, isImplied }: Preference): Readonly<Record<string, string>> => {
  if (isImplied) return {};
  const words = [
    ...(respondAsync ? ['respond-async'] : []),
    ...(waitMs === undefined ? [] : [`wait=${Math.round(waitMs / 1000)}`]),
  ];
  return words.length === 0 ? {} : { 'Preference-Applied': words.join(', ') };
};
