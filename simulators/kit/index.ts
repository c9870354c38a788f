export { Refusal } from './refusal.js';
export { type ServerOptions, type SimulatorCore, startServer, type Workshop } from './server.js';
export type {
  CallFacts,
  CallRecord,
  DateHeader,
  Dialect,
  Effect,
  Fault,
  FaultKind,
  Incoming,
  Reply,
  Shape,
  Simulator,
} from './types.js';
export { FAULT_KINDS, SHAPES } from './types.js';
