/** The preferences of RFC 7240 that a write heeds. */
export interface Preference {
  /** How long the caller waits; undefined leaves it to the gateway. */
  readonly waitMs?: number;
  /** For `Preference-Applied`. */
  readonly applied?: string;
}

const tokens = (prefer: string): Map<string, string> => {
  const found = new Map<string, string>();
  // Commas within quotes belong to a value.
  for (const [preference] of prefer.matchAll(/(?:"[^"]*"|[^,"])+/g)) {
    const [name = '', value = ''] = (preference.split(';')[0] ?? '').split('=').map((part) => part.trim());
    // The first one counts (section 2).
    if (!found.has(name.toLowerCase())) found.set(name.toLowerCase(), value.replace(/^"(.*)"$/, '$1'));
  }
  return found;
};

/** Both together: wait for so long, then answer 202 (section 4.3). What makes no sense is ignored. */
export const readPrefer = (prefer: string | undefined, longestMs: number): Preference => {
  const given = tokens(prefer ?? '');
  const async = given.get('respond-async') === '';
  const wait = given.get('wait') ?? '';
  const waitMs = /^\d{1,6}$/.test(wait) ? Math.min(Number(wait) * 1000, longestMs) : undefined;
  const words = [...(async ? ['respond-async'] : []), ...(waitMs === undefined ? [] : [`wait=${Math.round(waitMs / 1000)}`])];
  return words.length === 0 ? {} : { waitMs: waitMs ?? 0, applied: words.join(', ') };
};
