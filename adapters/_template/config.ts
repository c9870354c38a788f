import type { Secret } from '../../src/secret.js';

export interface Credentials {
  readonly keyId: string;
  readonly secret: Secret;
}

export interface Config {
  readonly endpoint: string;
  readonly credentials: Credentials;
}

// EDIT: what an account of the vendor needs, in the types and in the schema. Defaults where they are safe; none for a secret, which is
// `writeOnly` and arrives as a `Secret`.
export const configSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['endpoint', 'credentials'],
  properties: {
    endpoint: { type: 'string', format: 'endpoint' },
    credentials: {
      type: 'object',
      additionalProperties: false,
      required: ['keyId', 'secret'],
      properties: {
        keyId: { type: 'string', minLength: 1 },
        secret: { type: 'string', minLength: 1, writeOnly: true },
      },
    },
  },
} as const;
