import type { Secret } from '../../src/secret.js';

export interface ShanheCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
}

export interface ShanheConfig {
  /** With the `/api` path; QingCloud's own hosts speak the same protocol. */
  readonly endpoint: string;
  readonly zone: string;
  /** Account id that some editions demand for `cluster/list`. */
  readonly owner?: string;
  /** `native` trusts the vendor's `search_word`, whose meaning is not documented. */
  readonly search: 'gateway' | 'native';
  readonly credentials: ShanheCredentials;
}

export const configSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['credentials'],
  properties: {
    endpoint: { type: 'string', format: 'endpoint', default: 'https://hpc.api.shanhe.com/api' },
    zone: { type: 'string', minLength: 1, default: 'jn1a' },
    owner: { type: 'string', minLength: 1 },
    search: { type: 'string', enum: ['gateway', 'native'], default: 'gateway' },
    credentials: {
      type: 'object',
      additionalProperties: false,
      required: ['accessKeyId', 'secretAccessKey'],
      properties: {
        accessKeyId: { type: 'string', minLength: 1 },
        secretAccessKey: { type: 'string', minLength: 1, writeOnly: true },
      },
    },
  },
} as const;
