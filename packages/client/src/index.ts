/** Client of the HPC gateway. `paths` and `components` are the types of its OpenAPI document. */
export * from './client.js';
export type { ErrorCode, Operation, Problem } from './errors.js';
export { GatewayClientError, GatewayProblem, GatewayUnreachable, UnexpectedAnswer, WaitTimeout } from './errors.js';
export type { components, operations, paths } from './openapi.js';
