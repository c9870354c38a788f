/** An own Redis for a test, which lives no longer than the test's process. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from '@jest/globals';

const HOST = '127.0.0.1';
const READY_MS = 10_000;
const PING_MS = 1_000;
const STARTS = 3;
const PORT_TRIES = 50;

export const redisIsInstalled: boolean = spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0;

/** `describe` where there is a Redis; elsewhere its tests are told to be skipped, by name. */
export const describeWithRedis = (name: string, fn: () => void): void => {
  if (redisIsInstalled) describe(name, fn);
  else describe.skip(`${name} (skipped: redis-server is not installed)`, fn);
};

export type Ending = 'SIGTERM' | 'SIGKILL';

export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** Where its files are. */
  readonly folder: string;
  /** Ends the server; port and data are kept for `up`. */
  down(ending?: Ending): Promise<void>;
  /** Resolves when it answers. */
  up(): Promise<void>;
  /** Down and up again. */
  restart(ending?: Ending): Promise<void>;
  /** Stops the server, as SIGSTOP does, until `resume`. */
  pause(): void;
  resume(): void;
  /** Sends one command. @returns the first line of the answer */
  command(...words: readonly string[]): Promise<string>;
  /** Ends it for good and removes its data. */
  stop(): Promise<void>;
}

/** Below the ports that systems give to others by themselves: one that is down for a moment keeps its port. */
const PORTS = { from: 10_000, below: 16_000 } as const;

const isFree = async (port: number): Promise<boolean> => {
  const server = createServer().listen(port, HOST);
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
};

const freePort = async (): Promise<number> => {
  for (let tries = 0; tries < PORT_TRIES; tries++) {
    const port = randomInt(PORTS.from, PORTS.below);
    if (await isFree(port)) return port;
  }
  throw new Error(`found no free port from ${PORTS.from} to ${PORTS.below}`);
};

/** What the server says to a command; '' when nothing. */
const ask = (port: number, words: readonly string[]): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(port, HOST, () => socket.write(`${words.join(' ')}\r\n`));
    const end = (answer: string): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(PING_MS, () => end(''));
    socket.on('error', () => end(''));
    socket.on('close', () => end(''));
    socket.once('data', (data) => end(data.toString().split('\r\n')[0] ?? ''));
  });

const isOver = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

const end = async (child: ChildProcess, ending: Ending): Promise<void> => {
  if (isOver(child)) return;
  const exit = once(child, 'exit');
  child.kill(ending);
  await exit;
};

interface Guard {
  /** The server that is running. */
  watch(pid: number | null): void;
  leave(): void;
}

/**
 * Ends the server and removes its folder when the test's process is gone, killed too: its stdin closes then. An `exit` listener would
 * not do, since Jest shows tests a copy of `process`.
 */
const guard = (folder: string): Guard => {
  const script = 'while read -r line; do pid=$line; done; [ -n "$pid" ] && kill -KILL "$pid"; rm -rf "$1"';
  const watcher = spawn('sh', ['-c', script, 'sh', folder], { stdio: ['pipe', 'ignore', 'ignore'] });
  watcher.unref();
  return {
    watch: (pid) => void watcher.stdin.write(`${pid ?? ''}\n`),
    leave: () => void watcher.kill('SIGKILL'),
  };
};

const launch = async (port: number, folder: string, { watch }: Guard): Promise<ChildProcess> => {
  const logPath = join(folder, 'log');
  const log = openSync(logPath, 'a');
  const options = ['--port', String(port), '--bind', HOST, '--dir', folder];
  const durability = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
  const server = spawn('redis-server', [...options, ...durability], { stdio: ['ignore', log, log] });
  closeSync(log);
  await once(server, 'spawn');
  server.unref();
  watch(server.pid as number);

  const since = Date.now();
  let answer = '';
  while (!isOver(server) && Date.now() - since < READY_MS) {
    answer = await ask(port, ['PING']);
    // One that did not get the port has ended, and what answers there is somebody else.
    if (answer === '+PONG' && !isOver(server)) return server;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const how = isOver(server)
    ? `ended with ${server.signalCode ?? server.exitCode}`
    : `answered PING with ${JSON.stringify(answer)} for ${READY_MS} ms`;
  await end(server, 'SIGKILL');
  watch(null);
  throw new Error(`redis-server on port ${port} ${how}:\n${readFileSync(logPath, 'utf8').slice(-2_000)}`);
};

/** A Redis on a free port that keeps what is written. */
export const startRedis = async (): Promise<TestRedis> => {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-redis-'));
  const watcher = guard(folder);
  const remove = (): void => {
    watcher.leave();
    rmSync(folder, { recursive: true, force: true });
  };

  /** The port may be taken between finding it and using it. */
  const first = async (): Promise<{ port: number; server: ChildProcess }> => {
    for (let start = 1; ; start++) {
      const port = await freePort();
      try {
        return { port, server: await launch(port, folder, watcher) };
      } catch (error) {
        if (start < STARTS) continue;
        remove();
        throw error;
      }
    }
  };
  const { port, server } = await first();
  let running: ChildProcess | undefined = server;

  const down = async (ending: Ending = 'SIGTERM'): Promise<void> => {
    if (!running) return;
    await end(running, ending);
    watcher.watch(null);
    running = undefined;
  };
  const up = async (): Promise<void> => {
    running ??= await launch(port, folder, watcher);
  };

  return {
    url: `redis://${HOST}:${port}`,
    port,
    folder,
    down,
    up,
    restart: async (ending) => {
      await down(ending);
      await up();
    },
    pause: () => void running?.kill('SIGSTOP'),
    resume: () => void running?.kill('SIGCONT'),
    command: (...words) => ask(port, words),
    stop: async () => {
      await down('SIGKILL');
      remove();
    },
  };
};
