import type { Secret } from '../../src/secret.js';

export interface EhpcCredentials {
  readonly accessKeyId: string;
  readonly accessKeySecret: Secret;
  /** With a temporary (STS) credential. */
  readonly securityToken?: Secret;
}

export interface EhpcConfig {
  readonly region: string;
  /** Overrides the public endpoint of the region, for VPC endpoints and tests. */
  readonly endpoint?: string;
  readonly signature: 'acs3' | 'rpc-v1';
  /** `async` alone gives uid and gid; `sync` answers at once. */
  readonly listing: 'async' | 'sync';
  /** Zone of an AddTime that names none; the vendor does not document it. */
  readonly timeZone: string;
  /** Keys, or the vendor's own chain, which finds them. */
  readonly credentials: EhpcCredentials | { readonly provider: 'chain' };
}

export const configSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['region', 'credentials'],
  properties: {
    region: { type: 'string', pattern: '^[a-z0-9-]+$' },
    endpoint: { type: 'string', format: 'endpoint' },
    signature: { type: 'string', enum: ['acs3', 'rpc-v1'], default: 'acs3' },
    listing: { type: 'string', enum: ['async', 'sync'], default: 'async' },
    timeZone: { type: 'string', format: 'time-zone', default: 'UTC' },
    credentials: {
      type: 'object',
      additionalProperties: false,
      if: { required: ['provider'] },
      else: { required: ['accessKeyId', 'accessKeySecret'] },
      dependencies: { provider: { properties: { accessKeyId: false, accessKeySecret: false, securityToken: false } } },
      properties: {
        provider: { type: 'string', enum: ['chain'] },
        accessKeyId: { type: 'string', minLength: 1 },
        accessKeySecret: { type: 'string', minLength: 1, writeOnly: true },
        securityToken: { type: 'string', minLength: 1, writeOnly: true },
      },
    },
  },
} as const;

export const endpointOf = ({ endpoint, region }: EhpcConfig): string =>
  (endpoint ?? `https://ehpc.${region}.aliyuncs.com`).replace(/\/+$/, '');
