/** Asked by machines every few seconds, by whatever name they know: they need no caller, and say nothing but how the gateway is. */
export const PROBES: ReadonlySet<string | undefined> = new Set(['/healthz', '/readyz']);
