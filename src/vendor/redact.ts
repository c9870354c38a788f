import { percentEncode } from '../encoding.js';

const LONGEST = 500;

/** Vendors quote the text that they signed, parameters and passwords included, after these words. */
const QUOTED_REQUEST = /(string\s*to\s*sign)[\s\S]*/i;

/** What belongs to our requests, not to a message about them. */
const REQUEST_PARTS = /https?:\/\/\S+|\b(?:signature|credential|access_?key_?id|security_?token)=\S+/gi;

/** Every way a secret may stand in a vendor's text: plain, as a query value, signed (encoded twice), as a form value, in JSON. */
const spellings = (secret: string): string[] => [
  secret,
  encodeURIComponent(secret),
  percentEncode(secret),
  percentEncode(percentEncode(secret)),
  percentEncode(secret).replaceAll('%20', '+'),
  JSON.stringify(secret).slice(1, -1),
];

/** A vendor's message that can be shown: without the secrets of its request, without the request quoted back, and short. */
export const redact = (text: string, secrets: readonly string[]): string => {
  const hidden = secrets
    .filter((secret) => secret !== '')
    .flatMap(spellings)
    .sort((a, b) => b.length - a.length)
    .reduce(
      (message, spelling) => message.replaceAll(spelling, '[redacted]'),
      text.replace(QUOTED_REQUEST, '$1 [redacted]').replace(REQUEST_PARTS, '[redacted]'),
    );
  return hidden.length > LONGEST ? `${hidden.slice(0, LONGEST)}…` : hidden;
};
