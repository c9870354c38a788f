/**
 * What must not be shown of the answers to a call. It travels with the asynchronous context, so that neither adapters nor clients have to
 * pass it on.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Secret } from '../secret.js';

const scopes = new AsyncLocalStorage<Set<Secret>>();

/** Runs the work of one call. @param secrets gets those of its requests, too */
export const withSecrets = <T>(secrets: Set<Secret>, work: () => T): T => scopes.run(secrets, work);

/** Adds secrets to the present call. */
export const noteSecrets = (secrets: readonly Secret[]): void => {
  const scope = scopes.getStore();
  for (const secret of secrets) scope?.add(secret);
};
