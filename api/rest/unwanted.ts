/** Requests that anybody can send at will, as many as they like: those that name no caller, and those that are turned away. */
import type { RequestContext } from './context.js';
import { PROBES } from './probes.js';

const TURNED_AWAY: ReadonlySet<string | undefined> = new Set(['too_busy', 'caller_rate_limited']);

export const isUnwanted = ({ caller, error, route }: RequestContext): boolean =>
  (caller === undefined && !PROBES.has(route)) || TURNED_AWAY.has(error?.code);
