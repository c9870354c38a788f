/** What a process uses: from /proc, or `ps` where there is none. Undefined is not known. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const KIB = 1024;
/** Linux counts CPU time in these. */
const TICKS_PER_SECOND = 100;
const LISTENING = '0A';
const TIME_WAIT = '06';
const DEFAULT_FILES = 1_024;

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

const ps = (pid: number, column: string): string =>
  spawnSync('ps', ['-o', `${column}=`, '-p', String(pid)]).stdout?.toString() ?? '';

/** Resident memory in bytes; undefined when the process is not there. */
export const rssOf = (pid: number): number | undefined => {
  const status = read(`/proc/${pid}/status`);
  const kib = status === undefined ? ps(pid, 'rss').trim() : /VmRSS:\s+(\d+)/.exec(status)?.[1];
  return kib === undefined || kib === '' ? undefined : Number(kib) * KIB;
};

/** `[[dd-]hh:]mm:ss` */
const secondsOf = (time: string): number =>
  time
    .trim()
    .split(/[-:]/)
    .reverse()
    .reduce((sum, part, at) => sum + Number(part) * ([1, 60, 3_600, 86_400][at] ?? 0), 0);

/** Seconds of all cores since the start of the process. */
export const cpuOf = (pid: number): number => {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return secondsOf(ps(pid, 'time'));
  // The name of the program, in brackets, may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
};

/** Connections to the port that are open, or that the gateway has not yet closed. */
export const connectionsTo = (port: number): number | undefined => {
  const table = read('/proc/net/tcp');
  if (table === undefined) return undefined;
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  return table.split('\n').filter((line) => {
    const [, address = '', , state = ''] = line.trim().split(/\s+/);
    return `${address} `.endsWith(local) && state !== LISTENING && state !== TIME_WAIT;
  }).length;
};

/** How many files this process, and those that it starts, may have open. */
export const maxFiles = (): number => {
  const limit =
    /Max open files\s+(\d+)/.exec(read('/proc/self/limits') ?? '')?.[1] ??
    spawnSync('sh', ['-c', 'ulimit -n']).stdout?.toString();
  return Number(limit) || DEFAULT_FILES;
};
