/** Text forms that several vendors demand to the letter. */

export type Params = Readonly<Record<string, string>>;

/** RFC 3986: UTF-8, everything but `A-Z a-z 0-9 - _ . ~` as `%XX`. */
export const percentEncode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/** `name=value` pairs in code-unit order of the names, encoded. The same text goes into a signature and onto the wire. */
export const canonicalQuery = (params: Params): string =>
  Object.keys(params)
    .sort()
    .map((name) => `${percentEncode(name)}=${percentEncode(params[name] ?? '')}`)
    .join('&');

/** `yyyy-MM-ddTHH:mm:ssZ` in UTC. */
export const utcSeconds = (date: Date): string => date.toISOString().replace(/\.\d+Z$/, 'Z');
