/** Of clusters, whose ids stand in URLs as they are, and of accounts. */
export const ID_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$';

/** What is the same for every vendor; the settings of an account are the adapter's to describe. */
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
        settleSeconds: { type: 'number', minimum: 0, maximum: 600, default: 15 },
      },
    },
    log: {
      type: 'object',
      additionalProperties: false,
      default: {},
      properties: { level: { enum: ['debug', 'info', 'warn', 'error', 'silent'], default: 'info' } },
    },
    accounts: {
      type: 'object',
      minProperties: 1,
      propertyNames: { pattern: ID_PATTERN },
      additionalProperties: {
        type: 'object',
        required: ['vendor'],
        properties: { vendor: { type: 'string' }, discover: { type: 'boolean', default: false } },
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
  /** How long a write whose answer was lost is looked for by reading back. */
  readonly settleSeconds: number;
}

export interface AccountConfig {
  readonly vendor: string;
  /** Every cluster of the account is served, under its vendor id. */
  readonly discover: boolean;
  /** What the adapter's `configSchema` describes, checked. */
  readonly settings: unknown;
}

export interface ClusterConfig {
  readonly id: string;
  readonly account: string;
  readonly vendorClusterId: string;
}

export interface GatewayConfig {
  readonly server: ServerConfig;
  readonly log: { readonly level: string };
  readonly accounts: Readonly<Record<string, AccountConfig>>;
  readonly clusters: readonly ClusterConfig[];
}
