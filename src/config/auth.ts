/** Who may call, and what: the part `auth` of the configuration. Names are those of the file. */
import { type Right, ROLES, VERBS } from '../callers/rights.js';
import { HEADER_PATTERN, ID_PATTERN } from './patterns.js';

export interface LimitsOfCaller {
  readonly requestsPerCallerPerMinute?: number;
  readonly maxRequestsInFlight?: number;
}

export interface KeyConfig {
  /** `sha256:` and the hexadecimal hash of the whole key. */
  readonly hash: string;
  readonly expires?: string;
}

export interface CallerConfig {
  readonly id: string;
  readonly keys: readonly KeyConfig[];
  readonly rights: readonly Right[];
  readonly limits?: LimitsOfCaller;
}

/** Granted where the claim at the JSON pointer is the value, or holds it; without a claim, by every valid token. */
export interface ClaimRight extends Right {
  readonly claim?: string;
  readonly value?: string;
}

export interface IssuerConfig {
  readonly issuer: string;
  readonly audience: string;
  /** Absent: by discovery. */
  readonly jwksUri?: string;
  readonly algorithms: readonly string[];
  /** Whether only `at+jwt` is taken (RFC 9068): a token that says who somebody is, is no key to an API. */
  readonly requireTyp: boolean;
  readonly clockToleranceSeconds: number;
  readonly rights: readonly ClaimRight[];
}

/** Granted to users of the group; without one, to all whom the proxy names. */
export interface GroupRight extends Right {
  readonly group?: string;
}

export interface ProxyConfig {
  readonly userHeader: string;
  readonly groupsHeader?: string;
  /** Addresses and networks of the proxy. */
  readonly from: readonly string[];
  readonly rights: readonly GroupRight[];
}

export interface AuthConfig {
  readonly callers: readonly CallerConfig[];
  readonly jwt: readonly IssuerConfig[];
  readonly proxy?: ProxyConfig;
}

/** Those with a public key: who can verify a token cannot make one. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];

const rightSchema = (extra: object = {}) => ({
  type: 'object',
  additionalProperties: false,
  required: ['clusters', 'verbs'],
  properties: {
    ...extra,
    clusters: { type: 'array', minItems: 1, items: { type: 'string', format: 'cluster-pattern' } },
    verbs: { type: 'array', minItems: 1, items: { enum: [...VERBS] } },
    roles: { type: 'array', items: { enum: [...ROLES] }, default: ['member'] },
  },
});

const rights = (extra?: object) => ({ type: 'array', minItems: 1, items: rightSchema(extra) });

/** Of one caller, in place of what `limits` says for all. */
const limitsSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    requestsPerCallerPerMinute: { type: 'integer', minimum: 1 },
    maxRequestsInFlight: { type: 'integer', minimum: 1 },
  },
};

export const authSchema = {
  type: 'object',
  additionalProperties: false,
  minProperties: 1,
  properties: {
    callers: {
      type: 'array',
      default: [],
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['id', 'keys', 'rights'],
        properties: {
          id: { type: 'string', pattern: ID_PATTERN },
          keys: {
            type: 'array',
            minItems: 1,
            items: {
              type: 'object',
              additionalProperties: false,
              required: ['hash'],
              properties: {
                hash: { type: 'string', format: 'key-hash' },
                expires: { type: 'string', format: 'instant' },
              },
            },
          },
          rights: rights(),
          limits: limitsSchema,
        },
      },
    },
    jwt: {
      type: 'array',
      default: [],
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['issuer', 'audience', 'rights'],
        properties: {
          issuer: { type: 'string', format: 'endpoint' },
          audience: { type: 'string', minLength: 1 },
          jwksUri: { type: 'string', format: 'https-url' },
          algorithms: { type: 'array', minItems: 1, items: { enum: ALGORITHMS }, default: ['RS256', 'ES256'] },
          requireTyp: { type: 'boolean', default: true },
          clockToleranceSeconds: { type: 'number', minimum: 0, maximum: 300, default: 30 },
          rights: rights({ claim: { type: 'string', format: 'json-pointer' }, value: { type: 'string', minLength: 1 } }),
        },
      },
    },
    proxy: {
      type: 'object',
      additionalProperties: false,
      required: ['userHeader', 'from', 'rights'],
      properties: {
        userHeader: { type: 'string', pattern: HEADER_PATTERN },
        groupsHeader: { type: 'string', pattern: HEADER_PATTERN },
        from: { type: 'array', minItems: 1, items: { type: 'string', format: 'addresses' } },
        rights: rights({ group: { type: 'string', minLength: 1 } }),
      },
    },
  },
};
