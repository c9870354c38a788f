/** The shell command in processes of its own, and a gateway for it. */
import { type Asked as AskedOf, type Step, startScripted } from '../client/scripted.js';
import { READY, type Run, run, server } from '../support/process.js';

export const PROGRAM = 'dist/api/server.js';
export const PASSWORD = 'Choose@Your0wn';

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Asked {
  /** For standard input; closed without it. */
  readonly input?: string;
  readonly env?: Record<string, string>;
}

export const start = (args: readonly string[], { input = '', env = {} }: Asked = {}): Run => {
  const started = run(process.execPath, [PROGRAM, ...args], { HPC_GATEWAY_URL: '', HPC_GATEWAY_KEY: '', ...env });
  started.child.stdin?.end(input);
  return started;
};

export const ended = async ({ exit, output, errors }: Run): Promise<Ended> => {
  const { code } = await exit;
  return { code, out: output(), err: errors() };
};

export const cli = (args: readonly string[], asked?: Asked): Promise<Ended> => ended(start(args, asked));

/** @returns a function that runs commands against a demo of its own */
export const startDemo = async () => {
  const demo = server();
  const url = (await demo.until(READY))[1] as string;
  const at = (args: readonly string[], { env, ...asked }: Asked = {}): Promise<Ended> =>
    cli(args, { ...asked, env: { HPC_GATEWAY_URL: url, ...env } });
  const stop = async (): Promise<void> => {
    demo.child.kill('SIGTERM');
    await demo.exit;
  };
  return { url, at, stop };
};

const closers: (() => void)[] = [];

/** For `afterEach`. */
export const closeScripted = (): void => {
  for (const close of closers.splice(0)) close();
};

/** A server that answers what the test says, until `closeScripted`. */
export const serve = async (answer: (asked: AskedOf, count: number) => Step) => {
  const scripted = await startScripted(answer);
  closers.push(scripted.close);
  return scripted;
};
