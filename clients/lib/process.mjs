/** Child processes that end with this one at the latest, each in a group of its own, so that what it starts ends too. */
import { spawn } from 'node:child_process';

const LIMIT_MS = 180_000;
const KEPT = 6_000;

const running = new Set();

const endGroup = ({ pid }) => {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already, or was never started.
  }
};

process.on('exit', () => running.forEach(endGroup));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

/** Starts a program; `done` is called when it and its output have ended. */
export const start = (command, args, { cwd, env } = {}) => {
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const done = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(signal ?? code));
  }).finally(() => running.delete(child));
  child.stdout.setEncoding('utf8');
  child.stderr.setEncoding('utf8');
  return { child, done, end: () => endGroup(child) };
};

/** A compiler's first errors tell most, and a program's last words. */
const excerpt = (output) => (output.length <= KEPT ? output : `${output.slice(0, KEPT / 2)}\n…\n${output.slice(-KEPT / 2)}`);

/** Runs a program to its end and gives what it printed; rejects when it fails or takes too long. */
export const run = async (command, args, { cwd, env, limitMs = LIMIT_MS } = {}) => {
  const { child, done, end } = start(command, args, { cwd, env: { ...process.env, ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    end();
  }, limitMs);
  const code = await done.finally(() => clearTimeout(timer));
  if (code === 0) return output;
  throw new Error(`${command} ${late ? `took more than ${limitMs / 1000} s` : `ended with ${code}`}\n${excerpt(output)}`);
};
