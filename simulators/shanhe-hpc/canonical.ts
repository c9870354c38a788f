import { createHash, createHmac } from 'node:crypto';

/** Pure parts of the signature (docs/vendors/facts, section 3.1). */
export const percentEncode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);

const nameOf = (part: string) => part.split('=', 1)[0] ?? '';

/** 3.5: the raw query without `signature`, sorted, never decoded, so that a client's encoder shows. */
export const canonicalQuery = (rawQuery: string): string =>
  rawQuery
    .split('&')
    .filter((part) => part !== '' && nameOf(part) !== 'signature')
    .sort((a, b) => Buffer.compare(Buffer.from(nameOf(a)), Buffer.from(nameOf(b))))
    .join('&');

export const md5Hex = (body: string | Buffer): string => createHash('md5').update(body).digest('hex');

export const stringToSign = (method: string, path: string, query: string, body: string | Buffer): string =>
  [method, path, query, md5Hex(body)].join('\n');

/** Base64, before any percent-encoding: RAW in docs/vendors/facts. */
export const rawSignature = (secret: string, text: string): string => createHmac('sha256', secret).update(text).digest('base64');
