/** Callers of tests. */
import { createHash, randomBytes } from 'node:crypto';
import type { CallerCall } from '../../src/callers/caller.js';
import { ANYBODY } from '../../src/callers/caller.js';
import { createCursors } from '../../src/cursors.js';
import { createEncryptor } from '../../src/store/encryptor.js';

/** A call of a gateway that asks nobody who they are. */
export const anybodysCall = (signal: AbortSignal = AbortSignal.timeout(60_000), requestId = 'r'): CallerCall => ({
  requestId,
  signal,
  caller: ANYBODY,
  address: '127.0.0.1',
});

/** Cursors of a gateway that nobody else knows. */
export const testCursors = createCursors(createEncryptor(randomBytes(32)));

export interface TestCaller {
  readonly id: string;
  readonly key: string;
  readonly headers: { readonly authorization: string };
  /** As `auth.callers` has it. */
  readonly config: object;
}

const ALL_VERBS = ['read', 'write', 'operate', 'metrics', 'audit'];

/** A caller with an API key, made without the code that checks it. */
export const makeCaller = (
  id: string,
  rights: readonly object[] = [{ clusters: ['*'], verbs: ALL_VERBS, roles: ['owner'] }],
  more: object = {},
): TestCaller => {
  const key = `hpcgw_${randomBytes(32).toString('base64url')}`;
  const hash = `sha256:${createHash('sha256').update(key).digest('hex')}`;
  return { id, key, headers: { authorization: `Bearer ${key}` }, config: { id, keys: [{ hash }], rights, ...more } };
};
