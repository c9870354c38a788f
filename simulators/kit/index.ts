export { ECHO_VALUES, type EchoValue, type Secrets, withJsonField } from './echo.js';
export {
  COMMON_FAULT_KINDS,
  FAULT_KINDS,
  type Fault,
  type FaultKind,
  type RetryAfterHeader,
  SHAPES,
  type Shape,
} from './fault.js';
export { changeError, type NewUserOptions, type OtherParty, timeOrNow } from './other-party.js';
export { inventedName, isPageFault, type Page, pageCap, takePage } from './pages.js';
export { Refusal } from './refusal.js';
export { type ServerOptions, type SimulatorContext, type SimulatorCore, startServer } from './server.js';
export { SPELLINGS, type Spelling } from './spelling.js';
export type { CallFacts, CallRecord, ClockSkew, DateHeader, Dialect, Effect, Incoming, Reply, Simulator } from './types.js';
