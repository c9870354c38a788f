/** Every process that the program starts, so that none outlives it. */
import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const running = new Set<ChildProcess>();
const folders = new Set<string>();

/** @param module path beside this file */
export const start = (module: string, args: readonly string[], options: ForkOptions = {}): ChildProcess => {
  const child = fork(fileURLToPath(new URL(module, import.meta.url)), args, { execArgv: [], ...options });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
};

export const isRunning = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;

export const end = async (child: ChildProcess): Promise<void> => {
  if (!isRunning(child)) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
};

export const removeAtEnd = (folder: string): void => {
  folders.add(folder);
};

export const endAll = (): void => {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
};

/** The next message of a child; rejects when it ends without one or takes too long. */
export const nextMessage = <Message>(child: ChildProcess, patienceMs: number): Promise<Message> =>
  new Promise((resolve, reject) => {
    const finish = (): void => {
      clearTimeout(patience);
      child.off('message', received);
      child.off('exit', ended);
    };
    const fail = (reason: string): void => {
      finish();
      reject(new Error(`a child process ${reason}`));
    };
    const received = (message: unknown): void => {
      finish();
      resolve(message as Message);
    };
    const ended = (code: number | null, signal: string | null): void => fail(`ended with ${code ?? signal} before it reported`);
    const patience = setTimeout(() => fail('did not report in time'), patienceMs);
    child.once('message', received);
    child.once('exit', ended);
  });
