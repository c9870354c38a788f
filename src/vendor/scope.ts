/** What is known of a call to an adapter while it is under way. It is a part of the call, which adapters pass on. */
import type { Secret } from '../secret.js';
import type { Trace } from '../telemetry/trace.js';

export interface Scope {
  /** What must not be shown of the answers: more is added by the requests that are made. */
  readonly secrets: Set<Secret>;
  /** Of the request, where it has one. */
  readonly trace: Trace | undefined;
  /** A name that the vendor gave to a request, as it may be shown. */
  shownId(id: string): string;
}
