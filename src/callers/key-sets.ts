/** The public keys of an issuer: fetched when they are needed, kept, and fetched again where a token names one that is new. */
import { createLocalJWKSet, createRemoteJWKSet, customFetch, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { Clock } from '../clock.js';
import { isSecureUrl } from '../config/urls.js';
import { firstOf } from '../deadline.js';
import { parseObject } from '../wire.js';

const FETCH_MS = 5_000;
/** A token with an unknown key fetches the keys again, at most once in this time. */
const COOLDOWN_MS = 30_000;
const KEPT_MS = 10 * 60_000;
/** An issuer that cannot be asked is not asked again for so long. */
const PAUSE_MS = 5_000;
/** Keys that were fetched are good for so long where newer ones cannot be had. */
const STALE_MS = 24 * 60 * 60_000;
const MAX_BYTES = 1_048_576;

/** The keys of the issuer cannot be had: nobody can say whether a token is good. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

const readBounded = async (response: Response): Promise<string> => {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) throw new KeysUnavailable('the answer is too long');
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
};

/** No redirect is followed: only what is configured is asked. */
const get = async (url: string, signal: AbortSignal): Promise<string> => {
  const response = await fetch(url, { redirect: 'error', signal, headers: { accept: 'application/json' } });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new KeysUnavailable(`the answer has the status ${response.status}`);
  }
  return readBounded(response);
};

/** OpenID Connect Discovery 1.0, section 4. */
const discover = async (issuer: string, clock: Clock): Promise<string> => {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const { issuer: named, jwks_uri: keys } = parseObject(await get(url, clock.timeout(FETCH_MS))) ?? {};
  if (named !== issuer) throw new KeysUnavailable('the discovery document names another issuer');
  if (typeof keys !== 'string' || !isSecureUrl(keys)) throw new KeysUnavailable('the discovery document has no usable jwks_uri');
  return keys;
};

/** What is wrong with the token, or with its key, for every issuer. */
const isOfToken = (error: unknown): boolean =>
  error instanceof errors.JWKSNoMatchingKey ||
  error instanceof errors.JWKSMultipleMatchingKeys ||
  error instanceof errors.JOSENotSupported;

/** The key among those that were fetched earlier. @throws KeysUnavailable where only newer ones can have it */
const findAmong = async (known: JSONWebKeySet, ...[header, token]: Parameters<JWTVerifyGetKey>) => {
  try {
    return await createLocalJWKSet(known)(header, token);
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) throw new KeysUnavailable('newer keys cannot be read', { cause: error });
    throw error;
  }
};

export const createKeySet = (issuer: string, jwksUri: string | undefined, clock: Clock): JWTVerifyGetKey => {
  let uri = jwksUri;
  let remote: ReturnType<typeof createRemoteJWKSet> | undefined;
  let discovering: Promise<string> | undefined;
  let failedAt: number | undefined;
  let fetchedAt = 0;

  /** Asks the issuer, unless it failed just now. */
  const asking = async <T>(question: () => Promise<T>): Promise<T> => {
    if (failedAt !== undefined && clock.monotonic() - failedAt < PAUSE_MS) throw new KeysUnavailable('it failed just now');
    try {
      const answer = await question();
      failedAt = undefined;
      return answer;
    } catch (error) {
      failedAt = clock.monotonic();
      throw error;
    }
  };

  const remoteKeys = async (): Promise<NonNullable<typeof remote>> => {
    if (remote) return remote;
    discovering ??= asking(() => (uri === undefined ? discover(issuer, clock) : Promise.resolve(uri))).finally(() => {
      discovering = undefined;
    });
    uri = await discovering;
    remote ??= createRemoteJWKSet(new URL(uri), {
      timeoutDuration: FETCH_MS,
      cooldownDuration: COOLDOWN_MS,
      cacheMaxAge: KEPT_MS,
      [customFetch]: (url, { signal }) =>
        asking(async () => {
          const text = await get(url, firstOf([signal, clock.timeout(FETCH_MS)]));
          // What is no set of keys is a failure of the issuer, which is not asked again at once.
          createLocalJWKSet((parseObject(text) ?? {}) as unknown as JSONWebKeySet);
          fetchedAt = clock.monotonic();
          return new Response(text, { headers: { 'content-type': 'application/json' } });
        }),
    });
    return remote;
  };

  return async (header, token) => {
    try {
      return await (await remoteKeys())(header, token);
    } catch (error) {
      if (isOfToken(error)) throw error;
      const known = remote?.jwks();
      if (known && clock.monotonic() - fetchedAt < STALE_MS) return findAmong(known, header, token);
      throw new KeysUnavailable((error as Error).message, { cause: error });
    }
  };
};
