/** The program itself in a process of its own; `npm test` builds it first. */
import { type ChildProcess, spawn } from 'node:child_process';
import { until as look } from './wait.js';

const children = new Set<ChildProcess>();

/** For `afterEach`: nothing outlives its test. */
export const endProcesses = (): void => {
  for (const child of children) child.kill('SIGKILL');
};

export interface Run {
  readonly child: ChildProcess;
  output(): string;
  errors(): string;
  readonly exit: Promise<{ code: number | null; signal: string | null }>;
  /** The first match of the pattern in the output. */
  until(pattern: RegExp): Promise<RegExpMatchArray>;
}

export const run = (command: string, args: readonly string[], env: Record<string, string> = {}): Run => {
  const { HPC_GATEWAY_CONFIG: _, HOST: __, PORT: ___, ...inherited } = process.env;
  const child = spawn(command, args, { env: { ...inherited, ...env } });
  children.add(child);
  let output = '';
  let errors = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    errors += chunk;
  });
  const exit = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.on('close', (code, signal) => {
      children.delete(child);
      resolve({ code, signal });
    });
  });
  const until = async (pattern: RegExp): Promise<RegExpMatchArray> => {
    const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
    await look(() => pattern.test(output) || isOver());
    const match = pattern.exec(output);
    if (match) return match;
    throw new Error(`no ${pattern} in:\n${output}\n${errors}`);
  };
  return { child, output: () => output, errors: () => errors, exit, until };
};

export const server = (env: Record<string, string> = {}): Run =>
  run(process.execPath, ['dist/api/server.js'], { PORT: '0', ...env });

export const READY = /gateway at (http:\/\/\S+)/;
