/** Who sends a request: by the proxy in front of the gateway, by an API key, or by a token. */
import type { Clock } from '../clock.js';
import type { AuthConfig } from '../config/auth.js';
import { ANYBODY, type Caller, type CallerLimits } from './caller.js';
import { createKeys, isApiKey, looksLikeApiKey } from './keys.js';
import { createProxyUsers, type NamedBy } from './proxy.js';
import { createTokens } from './tokens.js';
import type { Verified } from './verified.js';

export interface Credentials extends NamedBy {
  /** Of `Authorization: Bearer`. */
  readonly bearer: string | undefined;
  /** Of `X-API-Key`. */
  readonly apiKey: string | undefined;
}

/** Undefined where the request names nobody. @throws issuer_unavailable */
export type Authenticate = (credentials: Credentials) => Promise<Verified | undefined>;

/** @param auth undefined where nobody is asked */
export const createAuthenticate = (auth: AuthConfig | undefined, limits: CallerLimits, clock: Clock): Authenticate => {
  const anybody: { readonly caller: Caller } = { caller: ANYBODY };
  if (!auth) return async () => anybody;
  const keyed = createKeys(auth.callers, limits, clock);
  const tokened = createTokens(auth.jwt, limits, clock);
  const proxied = auth.proxy && createProxyUsers(auth.proxy, limits);

  return async ({ bearer, apiKey, ...request }) => {
    const named = proxied?.(request);
    if (named) return named;
    if (bearer !== undefined && apiKey !== undefined && bearer !== apiKey)
      return { refusal: 'Authorization and X-API-Key name two callers; send one of them.' };
    const credential = apiKey ?? bearer;
    if (credential === undefined) return undefined;
    if (isApiKey(credential)) return keyed(credential);
    if (looksLikeApiKey(credential)) return { refusal: 'The API key is not valid.' };
    return apiKey === undefined ? tokened(credential) : { refusal: 'The API key is not valid.' };
  };
};
