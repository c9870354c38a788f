import type { Fault } from './fault.js';
import type { Timers } from './timers.js';
import type { CallFacts, Dialect, Reply } from './types.js';

/** What becomes of a verified call: an answer, one that comes byte by byte, silence, or a destroyed socket. */
export type Outcome =
  | { readonly end: 'reply'; readonly reply: Reply }
  | { readonly end: 'drip'; readonly reply: Reply; readonly everyMs: number }
  | { readonly end: 'hang' | 'reset'; readonly code: string };

const DRIP_MS = 1000;

const reply = (value: Reply): Outcome => ({ end: 'reply', reply: value });

const HTML =
  '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad Gateway</h1></center></body>\r\n</html>\r\n';

/** Milliseconds until the outcome is sent; some kinds use `delayMs` for something else. */
export const holdMs = (fault: Fault | null): number =>
  fault === null || ['drip', 'late_effect', 'job_slow'].includes(fault.kind) ? 0 : (fault.delayMs ?? 0);

/** Runs the call as the fault changes it. What is applied before `hang_after`, `reset_after` or `cut_json` stays applied. */
export const runCall = <Call extends CallFacts>(
  dialect: Dialect<Call>,
  call: Call,
  fault: Fault | null,
  timers: Timers,
): Outcome => {
  switch (fault?.kind) {
    case 'throttle':
    case 'vendor_error':
    case 'http_status':
      return reply(dialect.faultReply(fault, call));
    case 'error_after':
      dialect.perform(call, null);
      return reply(dialect.faultReply(fault, call));
    case 'echo': {
      const { message: _, ...error } = fault;
      return reply(fault.code === undefined ? dialect.perform(call, null) : dialect.faultReply(error, call));
    }
    case 'html':
      return reply({ status: fault.status ?? 502, code: 'NONE', contentType: 'text/html', body: fault.message ?? HTML });
    case 'hang':
      return { end: 'hang', code: 'NONE' };
    case 'reset_before':
      return { end: 'reset', code: 'NONE' };
    case 'hang_after':
      return { end: 'hang', code: dialect.perform(call, null).code };
    case 'reset_after':
      return { end: 'reset', code: dialect.perform(call, null).code };
    case 'late_effect':
      timers.after(fault.delayMs ?? 0, () => dialect.perform(call, null));
      return { end: 'reset', code: 'NONE' };
    case 'drip':
      return { end: 'drip', reply: dialect.perform(call, null), everyMs: fault.delayMs ?? DRIP_MS };
    case 'cut_json': {
      const whole = dialect.perform(call, null);
      return reply({ ...whole, body: whole.body.slice(0, Math.floor(whole.body.length / 2)) });
    }
    case 'wrong_shape':
      return reply(dialect.corrupt(dialect.perform(call, null), fault.shape ?? 'strings'));
    default:
      return reply(dialect.perform(call, fault));
  }
};
