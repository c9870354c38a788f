/** The preferences of RFC 7240 that a write heeds. */
export interface Preference {
  /** How long the caller waits; undefined leaves it to the gateway. */
  readonly waitMs?: number;
  /** For `Preference-Applied`. */
  readonly applied?: string;
}

const tokens = (prefer: string): Map<string, string> => {
  const found = new Map<string, string>();
  for (const preference of prefer.split(',')) {
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
  const seconds = /^\d{1,6}$/.test(wait) ? Math.min(Number(wait), Math.floor(longestMs / 1000)) : undefined;
  const applied = [...(async ? ['respond-async'] : []), ...(seconds === undefined ? [] : [`wait=${seconds}`])].join(', ');
  if (applied === '') return {};
  return { waitMs: (seconds ?? 0) * 1000, applied };
};
