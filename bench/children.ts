/** Programs of a benchmark, each in a process of its own, and what the operating system says of them. Linux only. */
import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface Program {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const START_MS = 60_000;
/** Of the times in /proc, on every Linux that Node runs on. */
const TICKS_A_SECOND = 100;

const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

const listening = (child: ChildProcess, name: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let output = '';
    const patience = setTimeout(() => reject(new Error(`${name} did not start: ${output}`)), START_MS);
    child.stdout?.on('data', (chunk) => {
      output += chunk;
      const url = /https?:\/\/[\d.]+:\d+/.exec(output)?.[0];
      if (url === undefined) return;
      clearTimeout(patience);
      resolve(url);
    });
    child.once('exit', (code) => {
      clearTimeout(patience);
      reject(new Error(`${name} ended with ${code}: ${output}`));
    });
  });

/** @param file beside this one, as it was built @param log a file for standard error */
export const startProgram = async (
  file: string,
  { env = {}, args = [], log }: { env?: Record<string, string>; args?: readonly string[]; log?: string } = {},
): Promise<Program> => {
  const { HOST: _, PORT: __, HPC_GATEWAY_CONFIG: ___, ...inherited } = process.env;
  const child = spawn(process.execPath, [...args, fileURLToPath(new URL(file, import.meta.url))], {
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', log === undefined ? 'inherit' : openSync(log, 'w')],
  });
  children.add(child);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => {
      children.delete(child);
      resolve();
    });
  });
  const url = await listening(child, file);
  return {
    url,
    pid: child.pid as number,
    stop: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
};

/** Processor time, of the user and the system, in milliseconds. */
export const cpuMs = ({ pid }: Program): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND) * 1_000;
};

const memory = ({ pid }: Program, field: string): number =>
  Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

/** Resident, in MiB. */
export const residentMiB = (program: Program): number => memory(program, 'VmRSS');
/** The largest resident memory so far, in MiB. */
export const peakMiB = (program: Program): number => memory(program, 'VmHWM');
