/** Wire shapes as Example HPC spells them, only what is read. All `unknown`: `src/wire.ts` narrows. */
import type { Secret } from '../../src/secret.js';

// EDIT: link the vendor's page above each shape.
export interface UserRow {
  readonly id?: unknown;
  readonly login?: unknown;
  readonly is_admin?: unknown;
  readonly uid?: unknown;
  readonly gid?: unknown;
  readonly created?: unknown;
}

export interface ClusterRow {
  readonly id?: unknown;
  readonly name?: unknown;
  readonly status?: unknown;
}

export interface WritableUser {
  readonly login: string;
  readonly password?: Secret;
  readonly is_admin?: boolean;
}
