import { createHash, createHmac } from 'node:crypto';

/** Pure parts of both signature versions (docs/vendors/facts, section 3), as the gateway computes them from what it received. */
export type Pair = readonly [name: string, value: string];

export const percentEncode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);

const decodeOne = (text: string): string => {
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
};

/** Decodes a query or a form body, in the order it was sent. */
export const decodePairs = (raw: string): Pair[] =>
  raw
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const mark = part.indexOf('=');
      return mark < 0 ? [decodeOne(part), ''] : [decodeOne(part.slice(0, mark)), decodeOne(part.slice(mark + 1))];
    });

const byCodeUnit = ([a]: Pair, [b]: Pair) => (a < b ? -1 : a > b ? 1 : 0);

/** Wire encoding differs from signing encoding, so values are decoded and encoded again (section 3). */
export const canonicalQuery = (pairs: readonly Pair[]): string =>
  [...pairs]
    .sort(byCodeUnit)
    .map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`)
    .join('&');

/** 3a: everything except Signature, from query and form body together. */
export const rpcStringToSign = (method: string, pairs: readonly Pair[]): string => {
  const signed = pairs.filter(([name]) => name !== 'Signature');
  return `${method}&${percentEncode('/')}&${percentEncode(canonicalQuery(signed))}`;
};

export const rpcSignature = (secret: string, stringToSign: string): string =>
  createHmac('sha1', `${secret}&`).update(stringToSign).digest('base64');

export const sha256Hex = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');

export interface Acs3Parts {
  readonly method: string;
  readonly path: string;
  /** Query parameters only; a form body is covered by its hash. */
  readonly query: readonly Pair[];
  readonly headers: Readonly<Record<string, string>>;
  /** As the Authorization header lists them. */
  readonly signedHeaders: readonly string[];
  readonly bodyHash: string;
}

/** 3b. */
export const acs3CanonicalRequest = ({ method, path, query, headers, signedHeaders, bodyHash }: Acs3Parts): string => {
  const names = [...signedHeaders].sort();
  const block = names.map((name) => `${name}:${(headers[name] ?? '').trim()}\n`).join('');
  return [method, path, canonicalQuery(query), block, names.join(';'), bodyHash].join('\n');
};

export const acs3StringToSign = (canonicalRequest: string): string => `ACS3-HMAC-SHA256\n${sha256Hex(canonicalRequest)}`;

export const acs3Signature = (secret: string, stringToSign: string): string =>
  createHmac('sha256', secret).update(stringToSign).digest('hex');
