/** A Redis of the bench's own, and what it was asked. */
import { spawn } from 'node:child_process';
import { type AddressInfo, createConnection, createServer } from 'node:net';

export interface BenchRedis {
  /** The configuration of a store on it. */
  readonly store: object;
  /** Commands, those of scripts included, and round trips, since its start. */
  commands(): Promise<{ all: number; asked: number }>;
  stop(): void;
}

const KEY = Buffer.alloc(32, 1).toString('base64');
const START_MS = 500;

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
};

const ask = (port: number, command: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    const socket = createConnection(port, '127.0.0.1', () => socket.end(`${command}\r\nQUIT\r\n`));
    socket.on('data', (data) => {
      text += data.toString();
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });

const commandsOf = async (port: number): Promise<{ all: number; asked: number }> => {
  const stats = await ask(port, 'INFO commandstats');
  const counts = [...stats.matchAll(/cmdstat_(\S+?):calls=(\d+)/g)].filter(([, name]) => name !== 'info' && name !== 'quit');
  const of = (names: readonly string[]) =>
    counts.filter(([, name]) => names.includes(name as string)).reduce((sum, [, , calls]) => sum + Number(calls), 0);
  return {
    all: of(counts.map(([, name]) => name as string)),
    asked: of(['evalsha', 'eval', 'mget', 'publish', 'zrange', 'time']),
  };
};

/** Undefined where it is not installed. */
export const startRedis = async (): Promise<BenchRedis | undefined> => {
  const port = await freePort();
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const server = spawn('redis-server', options, { stdio: 'ignore' });
  const isMissing = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(true));
    setTimeout(() => resolve(false), START_MS);
  });
  if (isMissing) return undefined;
  return {
    store: { kind: 'redis', url: `redis://127.0.0.1:${port}`, encryptionKey: KEY },
    commands: () => commandsOf(port),
    stop: () => void server.kill('SIGKILL'),
  };
};
