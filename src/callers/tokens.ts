/** JSON Web Tokens of the configured issuers (RFC 7519, RFC 9068). */
import { decodeJwt, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Clock } from '../clock.js';
import type { IssuerConfig } from '../config/auth.js';
import { GatewayError } from '../errors.js';
import type { Caller } from './caller.js';
import { rightsBy } from './claims.js';
import { createKeySet, KeysUnavailable } from './key-sets.js';
import type { Verified } from './verified.js';

const MAX_LENGTH = 8_192;
const MAX_SUBJECT = 255;
/** Of an issuer, tried for a token that names none of them. */
const MAX_KEYS = 10;
const RETRY_MS = 5_000;

const WORDS: Readonly<Record<string, string>> = {
  [errors.JWTExpired.code]: 'The token has expired.',
  [errors.JOSEAlgNotAllowed.code]: 'The algorithm of the token is not allowed.',
  [errors.JWSSignatureVerificationFailed.code]: 'The signature of the token is not valid.',
  [errors.JWKSNoMatchingKey.code]: 'The token is signed with a key that its issuer does not have.',
};

/** By the library's own code, and the claim; nothing of the token is quoted. */
const reasonOf = (error: unknown): string => {
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') return 'The token is for another audience.';
    if (error.claim === 'typ') return 'The token is not an access token (its typ is not at+jwt).';
    if (error.claim === 'nbf') return 'The token is not valid yet.';
    return `The token has no usable claim ${error.claim}.`;
  }
  return (error instanceof errors.JOSEError ? WORDS[error.code] : undefined) ?? 'The token is not valid.';
};

const issuerIn = (token: string): string | undefined => {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
};

interface Issuer {
  readonly config: IssuerConfig;
  readonly keys: JWTVerifyGetKey;
}

/** @returns who the token is of @throws issuer_unavailable */
export const createTokens = (
  configs: readonly IssuerConfig[],
  limits: Caller['limits'],
  clock: Clock,
): ((token: string) => Promise<Verified>) => {
  const issuers = configs.map((config): Issuer => ({ config, keys: createKeySet(config.issuer, config.jwksUri, clock) }));

  const callerOf = ({ config: { issuer, rights } }: Issuer, payload: JWTPayload): Verified => {
    const { sub = '' } = payload;
    if (sub === '' || sub.length > MAX_SUBJECT || !sub.isWellFormed()) return { refusal: 'The token has no usable claim sub.' };
    return { caller: { id: `${issuer}#${sub}`, rights: rightsBy(payload, rights), limits } };
  };

  const payloadOf = async ({ config, keys }: Issuer, token: string): Promise<JWTPayload> => {
    const options = {
      issuer: config.issuer,
      audience: config.audience,
      algorithms: [...config.algorithms],
      clockTolerance: config.clockToleranceSeconds,
      currentDate: new Date(clock.now()),
      requiredClaims: ['exp', 'sub'],
      ...(config.requireTyp && { typ: 'at+jwt' }),
    };
    try {
      return (await jwtVerify(token, keys, options)).payload;
    } catch (error) {
      // A token that names no key is of any of them.
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      let tried = 0;
      for await (const key of error) {
        if (++tried > MAX_KEYS) break;
        try {
          return (await jwtVerify(token, key, options)).payload;
        } catch (failure) {
          if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
        }
      }
      throw new errors.JWSSignatureVerificationFailed();
    }
  };

  const verify = async (issuer: Issuer, token: string): Promise<Verified> => {
    const { config } = issuer;
    try {
      return callerOf(issuer, await payloadOf(issuer, token));
    } catch (error) {
      if (!(error instanceof KeysUnavailable)) return { refusal: reasonOf(error) };
      throw new GatewayError('issuer_unavailable', `The keys of the issuer ${config.issuer} cannot be read.`, {
        retryAfterMs: RETRY_MS,
        cause: error,
      });
    }
  };

  return async (token) => {
    if (token.length > MAX_LENGTH) return { refusal: 'The token is too long.' };
    const named = issuerIn(token);
    let verified: Verified = { refusal: 'The token is not one of a configured issuer.' };
    for (const issuer of issuers.filter(({ config }) => config.issuer === named)) {
      verified = await verify(issuer, token);
      if ('caller' in verified) break;
    }
    return verified;
  };
};
