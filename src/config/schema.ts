import type { BudgetConfig } from '../adapter.js';
import type { Secret } from '../secret.js';
import { type AuthConfig, authSchema } from './auth.js';
import { ID_PATTERN } from './patterns.js';

/** What is the same for every vendor; the settings of an account are the adapter's to describe. A text that is `writeOnly` becomes a `Secret`. */
export const coreSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['accounts'],
  properties: {
    server: {
      type: 'object',
      additionalProperties: false,
      default: {},
      properties: {
        host: { type: 'string', minLength: 1, default: '127.0.0.1' },
        port: { type: 'integer', minimum: 0, maximum: 65535, default: 8080 },
        deadlineSeconds: { type: 'number', minimum: 0.001, maximum: 600, default: 30 },
        drainSeconds: { type: 'number', minimum: 0, maximum: 600, default: 30 },
        shutdownDelaySeconds: { type: 'number', minimum: 0, maximum: 600, default: 0 },
        settleSeconds: { type: 'number', minimum: 0, maximum: 600, default: 15 },
        callSeconds: { type: 'number', minimum: 0.1, maximum: 60, default: 30 },
        jobSeconds: { type: 'number', minimum: 1, maximum: 86_400, default: 900 },
        publicUrl: { type: 'string', format: 'public-url' },
        trustProxy: { type: 'array', items: { type: 'string', format: 'addresses' }, default: [] },
        allowedHosts: { type: 'array', items: { type: 'string', format: 'host-name' }, default: [] },
        cors: {
          type: 'object',
          additionalProperties: false,
          default: {},
          properties: { origins: { type: 'array', items: { type: 'string', format: 'origin' }, default: [] } },
        },
        tls: {
          type: 'object',
          additionalProperties: false,
          required: ['key', 'certificate'],
          properties: { key: { type: 'string', minLength: 1, writeOnly: true }, certificate: { type: 'string', minLength: 1 } },
        },
        sendSeconds: { type: 'number', minimum: 0.1, maximum: 600, default: 30 },
        answerSeconds: { type: 'number', minimum: 0.1, maximum: 600, default: 30 },
        keepAliveSeconds: { type: 'number', minimum: 1, maximum: 3_600, default: 65 },
        metrics: {
          type: 'object',
          additionalProperties: false,
          properties: {
            host: { type: 'string', minLength: 1, default: '127.0.0.1' },
            port: { type: 'integer', minimum: 0, maximum: 65535, default: 9464 },
          },
        },
        docs: {
          type: 'object',
          additionalProperties: false,
          default: {},
          properties: {
            enabled: { type: 'boolean', default: true },
            tryItOut: { type: 'boolean', default: false },
          },
        },
      },
    },
    store: {
      type: 'object',
      additionalProperties: false,
      default: {},
      properties: {
        kind: { enum: ['lmdb', 'redis', 'memory'], default: 'lmdb' },
        path: { type: 'string', minLength: 1, default: 'data' },
        url: { type: 'string', format: 'redis-url', writeOnly: true },
        encryptionKey: { type: 'string', format: 'key', writeOnly: true },
        leaseSeconds: { type: 'number', minimum: 0.5, maximum: 600, default: 5 },
      },
    },
    retention: {
      type: 'object',
      additionalProperties: false,
      default: {},
      properties: {
        operationDays: { type: 'number', minimum: 0, maximum: 3650, default: 7 },
        idempotencyKeyHours: { type: 'number', minimum: 0, maximum: 8760, default: 24 },
        auditDays: { type: 'number', minimum: 0, maximum: 3650, default: 30 },
      },
    },
    cache: {
      type: 'object',
      additionalProperties: false,
      default: {},
      properties: {
        seconds: { type: 'number', minimum: 0, maximum: 3_600, default: 5 },
        maxUsers: { type: 'integer', minimum: 0, default: 500_000 },
      },
    },
    limits: {
      type: 'object',
      additionalProperties: false,
      default: {},
      properties: {
        maxListUsers: { type: 'integer', minimum: 1, default: 200_000 },
        maxOpenItems: { type: 'integer', minimum: 1, default: 50_000 },
        maxRequestsInFlight: { type: 'integer', minimum: 1, default: 512 },
        requestsPerCallerPerMinute: { type: 'integer', minimum: 1, default: 600 },
        maxConnections: { type: 'integer', minimum: 1, default: 4_096 },
      },
    },
    auth: authSchema,
    audit: {
      type: 'object',
      additionalProperties: false,
      default: {},
      properties: { stream: { type: 'string', minLength: 1 } },
    },
    log: {
      type: 'object',
      additionalProperties: false,
      default: {},
      properties: {
        level: { enum: ['debug', 'info', 'warn', 'error', 'silent'], default: 'info' },
        format: { enum: ['json', 'pretty'], default: 'json' },
      },
    },
    accounts: {
      type: 'object',
      minProperties: 1,
      propertyNames: { pattern: ID_PATTERN },
      additionalProperties: {
        type: 'object',
        required: ['vendor'],
        properties: {
          vendor: { type: 'string' },
          discover: { type: 'boolean', default: false },
          domain: { type: 'string', pattern: ID_PATTERN },
          proxy: { type: 'string', format: 'proxy', writeOnly: true },
          caFile: { type: 'string', minLength: 1 },
          budget: {
            type: 'object',
            additionalProperties: false,
            required: ['calls', 'perSeconds'],
            properties: {
              calls: { type: 'integer', minimum: 1, maximum: 1_000_000_000 },
              perSeconds: { type: 'integer', minimum: 1, maximum: 86_400 },
            },
          },
        },
      },
    },
    clusters: {
      type: 'array',
      default: [],
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['id', 'account', 'vendorClusterId'],
        properties: {
          id: { type: 'string', pattern: ID_PATTERN },
          account: { type: 'string' },
          vendorClusterId: { type: 'string', minLength: 1 },
        },
      },
    },
  },
} as const;

/** Whole milliseconds, as timers take them. */
export const toMilliseconds = (seconds: number): number => Math.round(seconds * 1000);

export interface ServerConfig {
  readonly host: string;
  readonly port: number;
  /** A request is answered by then; a write that is still running becomes an operation. */
  readonly deadlineSeconds: number;
  /** How long a stopping gateway waits for what is running. */
  readonly drainSeconds: number;
  /** Where it is reached from outside, a path before ours included. */
  readonly publicUrl?: string;
  /** Addresses and networks whose `X-Forwarded-*` headers count. */
  readonly trustProxy: readonly string[];
  /** Swagger UI, and whether requests can be sent from it. */
  readonly docs: { readonly enabled: boolean; readonly tryItOut: boolean };
  /** How long a stopping gateway, which says that it is not ready, serves on. */
  readonly shutdownDelaySeconds: number;
  /** How long a write whose answer was lost is looked for by reading back. */
  readonly settleSeconds: number;
  /** How long a write to a vendor may take. */
  readonly callSeconds: number;
  /** How long a job of a vendor's is followed. */
  readonly jobSeconds: number;
  /** Names by which requests may call the gateway, beside that of `publicUrl` and those of this machine. */
  readonly allowedHosts: readonly string[];
  /** Origins whose pages may send requests. */
  readonly cors: { readonly origins: readonly string[] };
  /** In PEM. */
  readonly tls?: TlsConfig;
  /** How long a request may take to arrive, and an answer to be taken by its caller. */
  readonly sendSeconds: number;
  readonly answerSeconds: number;
  /** How long a connection without a request is kept. */
  readonly keepAliveSeconds: number;
  /** A listener of its own for the figures, which asks nobody who they are. */
  readonly metrics?: { readonly host: string; readonly port: number };
}

export interface TlsConfig {
  readonly key: Secret;
  readonly certificate: string;
}

export interface StoreConfig {
  readonly kind: 'lmdb' | 'redis' | 'memory';
  /** The folder of the LMDB file and of the key that is made where none is configured. */
  readonly path: string;
  /** Of the Redis; may hold a password. */
  readonly url?: Secret;
  /** 32 bytes in base64. */
  readonly encryptionKey?: Secret;
  /** Another process takes over after this long without a heartbeat. */
  readonly leaseSeconds: number;
}

export interface RetentionConfig {
  /** How long an operation is kept after its end. */
  readonly operationDays: number;
  readonly idempotencyKeyHours: number;
  /** How long a record of the audit trail is kept. */
  readonly auditDays: number;
}

export interface CacheConfig {
  /** How long a list of users that was read whole is served; 0: not at all. */
  readonly seconds: number;
  /** Of all lists that are kept. */
  readonly maxUsers: number;
}

export interface LimitsConfig {
  /** The longest list of users that is read as a whole; a longer one is taken for a fault of the vendor. */
  readonly maxListUsers: number;
  /** Items of open operations of one write domain; one cluster may have half of them. */
  readonly maxOpenItems: number;
  /** Requests that are being answered; one caller may have half of them. */
  readonly maxRequestsInFlight: number;
  /** Of one caller; not applied without `auth`. */
  readonly requestsPerCallerPerMinute: number;
  readonly maxConnections: number;
}

export interface AccountConfig {
  readonly vendor: string;
  /** Every cluster of the account is served, under its vendor id. */
  readonly discover: boolean;
  /** Accounts of one domain are written to by one process at a time; by default each account is a domain of its own. */
  readonly domain: string;
  /** The URL of a proxy that opens tunnels to the vendor; may hold a password. */
  readonly proxy?: Secret;
  /** Certificates in PEM, trusted beside those of Node. */
  readonly ca?: string;
  /** Calls that the vendor takes from the account; undefined where they are not counted. */
  readonly budget?: BudgetConfig;
  /** What the adapter's `configSchema` describes, checked, with its secrets wrapped. */
  readonly settings: unknown;
}

export interface ClusterConfig {
  readonly id: string;
  readonly account: string;
  readonly vendorClusterId: string;
}

export interface GatewayConfig {
  readonly server: ServerConfig;
  readonly store: StoreConfig;
  readonly retention: RetentionConfig;
  readonly limits: LimitsConfig;
  readonly cache: CacheConfig;
  readonly log: { readonly level: string; readonly format: 'json' | 'pretty' };
  /** Undefined: nobody is asked who they are, and the gateway listens on this machine only. */
  readonly auth?: AuthConfig;
  /** `stream`: where records go as lines of JSON, for collectors: a file, or `-` for standard output. */
  readonly audit: { readonly stream?: string };
  readonly accounts: Readonly<Record<string, AccountConfig>>;
  readonly clusters: readonly ClusterConfig[];
}
