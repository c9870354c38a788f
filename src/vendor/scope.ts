/**
 * What is known of the call under way. It travels with the asynchronous context, so that neither adapters nor clients have to pass it on.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Purpose, Tally } from '../adapter.js';
import type { Secret } from '../secret.js';
import type { Trace } from '../telemetry/trace.js';

export interface Scope {
  /** What must not be shown of the answers: more is added by the requests that are made. */
  readonly secrets: Set<Secret>;
  /** Of the request of ours that it is made for. */
  readonly requestId: string;
  readonly purpose: Purpose;
  readonly tally?: Tally | undefined;
  /** Of the request, where it has one. */
  readonly trace: Trace | undefined;
  /** A name that the vendor gave to a request, as it may be shown. */
  shownId(id: string): string;
}

const scopes = new AsyncLocalStorage<Scope>();

/** Runs the work of one call. */
export const inScope = <T>(scope: Scope, work: () => T): T => scopes.run(scope, work);

/** Undefined outside of calls. */
export const currentScope = (): Scope | undefined => scopes.getStore();

/** Adds secrets to the present call. */
export const noteSecrets = (secrets: readonly Secret[]): void => {
  const scope = currentScope();
  for (const secret of secrets) scope?.secrets.add(secret);
};
