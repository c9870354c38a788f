/** Several Node processes that begin at the same moment, on what was built. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

export interface Started {
  readonly child: ChildProcess;
  /** What it has written, line by line. */
  lines(): string[];
  /** Lets it begin. */
  go(): void;
  /** What it wrote, at its end with 0. */
  done(): Promise<string[]>;
  kill(): Promise<void>;
}

/** A module of `dist/`, as code imports it. */
export const built = (path: string): string => JSON.stringify(pathToFileURL(resolve('dist', path)).href);

const started = new Set<ChildProcess>();

/** Ends those that are still there. */
export const killStarted = (): void => {
  for (const child of started) child.kill('SIGKILL');
};

/**
 * Starts a process that runs the code as soon as all are told to go. It ends when this process does, since its stdin closes then.
 * @param code of an ES module, which may use `argument`
 */
export const start = async (code: string, argument: string): Promise<Started> => {
  const source = `
    import { once } from 'node:events';
    const [argument] = process.argv.slice(1);
    process.stdin.once('end', () => process.exit(3));
    console.log('ready');
    await once(process.stdin, 'data');
    ${code}
    process.stdin.destroy();
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source, argument], { stdio: 'pipe' });
  started.add(child);
  let output = '';
  let errors = '';
  const close = new Promise<void>((resolve) => {
    child.on('close', () => {
      started.delete(child);
      resolve();
    });
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  child.stdin.on('error', () => undefined);
  const ready = Promise.race([once(child.stdout, 'data'), close]);
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  await ready;
  const lines = (): string[] => output.split('\n').slice(1, -1);
  return {
    child,
    lines,
    go: () => void child.stdin.write('go\n'),
    done: async () => {
      await close;
      if (child.exitCode !== 0) throw new Error(`ended with ${child.signalCode ?? child.exitCode}:\n${output}\n${errors}`);
      return lines();
    },
    kill: async () => {
      child.kill('SIGKILL');
      await close;
    },
  };
};
