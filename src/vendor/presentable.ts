/** What vendors say, as it may be shown, logged and stored: without secrets, harmless, and short. The only place that decides it. */
import type { VendorCluster, VendorUser } from '../adapter.js';
import { GatewayError, restoreError, storeError } from '../errors.js';
import type { VendorError } from '../model.js';
import type { Secret } from '../secret.js';
import { isObject } from '../wire.js';
import { harmless, isHarmless, shortened } from './harmless.js';
import type { RecentSecrets } from './recent-secrets.js';
import { createRedactor, REDACTED, withoutRequest } from './redact.js';

const MAX_CODE = 128;
const MAX_REQUEST_ID = 128;
const MAX_MESSAGE = 500;
const MAX_WORD = 128;
const MAX_NAME = 255;
const MAX_PATH = 1_024;
/** Our own messages, which may hold a word of the vendor's. */
const MAX_OWN_MESSAGE = 1_000;
const MAX_STACK = 8_000;
const MAX_SNAPSHOT = 1_024;

const MAX_ATTRIBUTE = 2_000;
const MAX_ATTRIBUTE_KEY = 128;
/** Of one user, those within lists and maps included. */
const MAX_ATTRIBUTES = 100;
const MAX_ATTRIBUTE_DEPTH = 5;
/** Their texts are not shown, however long ago they were set, and by whom. */
const SECRET_NAMES = /pass(?:word|wd|phrase)|secret|private_?key/i;
/** Of all users of an answer; those that come later have none. */
const MAX_ATTRIBUTE_CHARACTERS = 1_000_000;

/** No more of a text is read. */
const MAX_READ = 65_536;
/** No common spelling of a character is longer. */
const MAX_SPELLING = 12;

export interface Presenter {
  cluster(cluster: VendorCluster): VendorCluster;
  user(user: VendorUser): VendorUser;
  jobCode(code: string | null): string | null;
  requestId(id: string): string;
  /** Whether a name can be shown and asked for as it is. */
  isUsableName(name: string): boolean;
  /** Whether a text that is kept as it is shows no secret. */
  isWithoutSecrets(text: string): boolean;
  /** Undefined where it cannot be sent back without showing a secret. */
  snapshot(snapshot: string | undefined): string | undefined;
  failure(thrown: unknown): GatewayError;
}

/** @param secrets none of which is shown, in whatever spelling @param recent the same for those of earlier calls */
export const createPresenter = (secrets: Iterable<Secret>, recent?: RecentSecrets): Presenter => {
  const redact = createRedactor(secrets, recent);

  const clean = (given: string, max: number, edit?: (text: string) => string): string => {
    if (given.length <= max && given.length < redact.minLength && edit === undefined && isHarmless(given)) return given;
    const isCut = given.length > MAX_READ;
    const plain = harmless(isCut ? given.slice(0, MAX_READ) : given);
    const text = redact(edit ? edit(plain) : plain);
    // What is left of a text that was cut may end in a piece of a secret.
    if (isCut && text.length < max + redact.longest * MAX_SPELLING) return REDACTED;
    return shortened(text, max);
  };
  const text = (given: string | null, max: number): string | null => (given === null ? null : clean(given, max));

  const number = (given: number | null): number | null => (redact(String(given)) === String(given) ? given : null);

  let charactersLeft = MAX_ATTRIBUTE_CHARACTERS;

  /** Within the bounds of one user's attributes. */
  const attributes = (given: Readonly<Record<string, unknown>>): Record<string, unknown> => {
    let left = MAX_ATTRIBUTES;
    const value = (inner: unknown, depth: number): unknown => {
      if (typeof inner === 'string') {
        charactersLeft -= inner.length;
        return clean(inner, MAX_ATTRIBUTE);
      }
      // A number may be a secret, too, and is one as a text.
      if (typeof inner === 'number') return redact(String(inner)) === String(inner) ? inner : REDACTED;
      if (typeof inner !== 'object' || inner === null) return inner;
      if (depth >= MAX_ATTRIBUTE_DEPTH) return null;
      if (Array.isArray(inner)) return inner.slice(0, left).map((item) => (left-- > 0 ? value(item, depth + 1) : null));
      return isObject(inner) ? members(inner, depth) : null;
    };
    const members = (inner: Readonly<Record<string, unknown>>, depth: number): Record<string, unknown> => {
      const kept: Record<string, unknown> = {};
      for (const key of Object.keys(inner)) {
        if (left <= 0 || charactersLeft <= 0) break;
        if (key === '__proto__') continue;
        left--;
        charactersLeft -= key.length;
        const isSecret = SECRET_NAMES.test(key) && typeof inner[key] === 'string';
        kept[clean(key, MAX_ATTRIBUTE_KEY)] = isSecret ? REDACTED : value(inner[key], depth + 1);
      }
      return kept;
    };
    return members(given, 0);
  };

  const vendorError = ({ code, message, requestId, ...vendor }: VendorError): VendorError => ({
    ...vendor,
    code: text(code, MAX_CODE),
    message: message === null ? null : clean(message, MAX_MESSAGE, withoutRequest),
    requestId: text(requestId, MAX_REQUEST_ID),
  });

  /** For the log: what a fault of an adapter says may hold what the vendor said. */
  const faultOf = (thrown: unknown): Error => {
    const { name, message, stack } = thrown instanceof Error ? thrown : new Error(String(thrown));
    // The lines of a stack are kept; of one that is cut, the last one may end in a piece of a secret.
    const all = stack ?? '';
    const lines = all
      .slice(0, MAX_STACK)
      .split('\n')
      .slice(0, all.length > MAX_STACK ? -1 : undefined);
    const fault = new Error(clean(message, MAX_OWN_MESSAGE));
    return Object.assign(fault, { name, stack: lines.map((line) => clean(line, MAX_OWN_MESSAGE)).join('\n') });
  };

  return {
    jobCode: (code) => text(code, MAX_CODE),
    requestId: (id) => clean(id, MAX_REQUEST_ID),
    isUsableName: (name) => name.length <= MAX_NAME && isHarmless(name) && !redact.isIn(name),
    isWithoutSecrets: (given) => redact(given) === given,

    cluster: ({ name, vendorState, type, region, zone, ...cluster }) => ({
      ...cluster,
      name: text(name, MAX_NAME),
      vendorState: text(vendorState, MAX_WORD),
      type: text(type, MAX_WORD),
      region: text(region, MAX_WORD),
      zone: text(zone, MAX_WORD),
    }),

    user: (user) => ({
      ...user,
      group: text(user.group, MAX_NAME),
      uid: number(user.uid),
      gid: number(user.gid),
      mountPoint: text(user.mountPoint, MAX_PATH),
      userId: text(user.userId, MAX_WORD),
      attributes: attributes(user.attributes),
    }),

    snapshot: (snapshot) =>
      snapshot !== undefined && snapshot.length <= MAX_SNAPSHOT && clean(snapshot, MAX_SNAPSHOT) === snapshot
        ? snapshot
        : undefined,

    failure: (thrown) => {
      if (!(thrown instanceof GatewayError))
        return new GatewayError(
          'internal_error',
          'The gateway failed on this request. The log has the details under this request id.',
          { cause: faultOf(thrown) },
        );
      const { vendor, message, errors, ...facts } = storeError(thrown);
      const shown = {
        ...facts,
        message: clean(message, MAX_OWN_MESSAGE),
        ...(errors && { errors: errors.map((error) => ({ ...error, message: clean(error.message, MAX_MESSAGE) })) }),
        ...(vendor && { vendor: vendorError(vendor) }),
      };
      if (thrown.code !== 'internal_error' || thrown.cause === undefined) return restoreError(shown);
      // It is logged. Other causes hold what the vendor said as it said it.
      return new GatewayError(thrown.code, shown.message, { ...shown, cause: faultOf(thrown.cause) });
    },
  };
};
