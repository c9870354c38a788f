import { sameText } from '../kit/random.js';
import { canonicalQuery, percentEncode, rawSignature, stringToSign } from './canonical.js';
import { refuse } from './errors.js';
import type { ShanheCall } from './urls.js';

export interface VerifyRules {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly zones: readonly string[];
  readonly lenient: boolean;
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const WINDOW_MS = 60_000;

const required = (call: ShanheCall, name: string): string =>
  call.query.get(name) || refuse('1100', `parameter [${name}] is missing`);

const fixed = (call: ShanheCall, name: string, value: string) => {
  if (required(call, name) !== value) refuse('1101', `parameter [${name}] must be ${value}`);
};

const timeOf = (call: ShanheCall, lenient: boolean): number => {
  const raw = (lenient ? call.query.get('time_stamp') : undefined) ?? required(call, 'timestamp');
  const at = TIME.test(raw) ? Date.parse(raw) : Number.NaN;
  return Number.isNaN(at) ? refuse('1100', 'parameter [timestamp] is badly formatted') : at;
};

/** 3.5: the slashed path over the raw query and the raw body; the query value, decoded once, is still percent-encoded. */
const signatureMatches = (call: ShanheCall, rules: VerifyRules): boolean => {
  const sent = call.query.get('signature') ?? '';
  const query = canonicalQuery(call.request.rawQuery);
  const raw = (path: string) => rawSignature(rules.secretAccessKey, stringToSign(call.method, path, query, call.request.body));
  const path = `/api${call.action}`;
  const strict = raw(`${path}/`);
  if (sameText(sent, percentEncode(strict))) return true;
  if (!rules.lenient) return false;
  // A bare `+` of a signature that was not encoded at all has become a space by now.
  const loose = sent.replaceAll(' ', '+');
  return [strict, raw(path)].some((expected) => loose === expected || loose === percentEncode(expected));
};

/** Common parameters, key, time and signature of one call; throws a Refusal. */
export const verifyCall = (call: ShanheCall, rules: VerifyRules, now: Date): void => {
  const accessKeyId = required(call, 'access_key_id');
  required(call, 'signature');
  fixed(call, 'signature_method', 'HmacSHA256');
  fixed(call, 'signature_version', '1');
  fixed(call, 'version', '1');
  const zone = required(call, 'zone');
  const at = timeOf(call, rules.lenient);
  if (!sameText(accessKeyId, rules.accessKeyId)) refuse('1200', 'access key is unknown');
  // The future side is not documented (section 7); the same 60 seconds are allowed there.
  if (Math.abs(now.getTime() - at) > WINDOW_MS) refuse('1300', 'message is older than 60 seconds');
  if (!signatureMatches(call, rules)) refuse('1200', 'signature not matched');
  if (!rules.zones.includes(zone)) refuse('1101', `zone [${zone}] is not supported`);
};
