/** The preferences of RFC 7240 that the gateway knows. */
export interface Preference {
  /** Whether the caller takes 202 for a write that has not ended. */
  readonly respondAsync?: boolean;
  /** How long the caller waits; undefined leaves it to the gateway. */
  readonly waitMs?: number | undefined;
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

/** Both together: wait for so long, then answer 202 (section 4.3). What is not valid is ignored. */
export const readPrefer = (prefer: string | undefined, longestMs: number): Preference => {
  const given = tokens(prefer ?? '');
  const respondAsync = given.get('respond-async') === '';
  const wait = given.get('wait') ?? '';
  const waitMs = /^\d{1,6}$/.test(wait) ? Math.min(Number(wait) * 1000, longestMs) : undefined;
  return { respondAsync, waitMs };
};

/** The `Preference-Applied` header for these preferences; none where there are none. */
export const applying = ({ respondAsync = false, waitMs }: Preference): Readonly<Record<string, string>> => {
  const words = [
    ...(respondAsync ? ['respond-async'] : []),
    ...(waitMs === undefined ? [] : [`wait=${Math.round(waitMs / 1000)}`]),
  ];
  return words.length === 0 ? {} : { 'Preference-Applied': words.join(', ') };
};
