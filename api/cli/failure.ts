/** What went wrong, in a line or a few, and the exit code. */
import { GatewayProblem, GatewayUnreachable, UnexpectedAnswer, WaitTimeout } from '@hpc-gateway/client';
import { ConfigError } from '../../src/config/error.js';
import { EXIT, Interrupted, Unanswered } from './exit.js';
import { say, visible } from './output.js';
import { UsageError } from './usage.js';

const helpOf = ({ code, retryable, retryAfterMs, operationId }: GatewayProblem): string => {
  if (operationId !== undefined) return `To keep waiting: hpc-gateway operations wait ${visible(operationId)}`;
  if (code === 'unauthenticated') return 'Set HPC_GATEWAY_KEY, or give --key-file, with an API key of the gateway.';
  if (code === 'forbidden') return 'Ask the operator of the gateway for the right.';
  if (retryable) return `Try again${retryAfterMs === undefined ? ' later' : ` in ${Math.ceil(retryAfterMs / 1000)} s`}.`;
  return `What it means: /problems/${visible(code)} of the gateway.`;
};

/** Its lines are ours: a line end of a vendor makes none. */
const describe = (problem: GatewayProblem): string => {
  const { message, code, requestId, vendor, errors } = problem;
  const places = errors.length > 1 ? errors.map((error) => `\n  ${visible(`${error.pointer}: ${error.message}`)}`).join('') : '';
  const words = vendor?.message ? `\n  ${visible(`${vendor.name}: ${vendor.message} (${vendor.code ?? 'no code'})`)}` : '';
  return `${visible(`${message} (${code}, request ${requestId})`)}${places}${words}\n${helpOf(problem)}`;
};

/** Says it. @returns the exit code @throws what nobody foresaw */
export const report = (error: unknown): number => {
  if (error instanceof Interrupted) return EXIT.interrupted;
  if (error instanceof Unanswered) {
    say('Nothing was changed.');
    return EXIT.notDone;
  }
  if (error instanceof UsageError) {
    say(error.message);
    return EXIT.usage;
  }
  if (error instanceof ConfigError) {
    say(`The configuration cannot be used:\n${error.problems.map((problem) => `  ${problem}`).join('\n')}`);
    return EXIT.notDone;
  }
  if (error instanceof GatewayProblem) {
    say(describe(error));
    return EXIT.notDone;
  }
  if (error instanceof GatewayUnreachable || error instanceof UnexpectedAnswer) {
    say(`${error.message}\nThe URL comes from --url or HPC_GATEWAY_URL; hpc-gateway demo starts a gateway to try out.`);
    return EXIT.unreachable;
  }
  if (error instanceof WaitTimeout) {
    say(`${error.message}\nTo keep waiting: hpc-gateway operations wait ${error.operationId}`);
    return EXIT.notDone;
  }
  throw error;
};
