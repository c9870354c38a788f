/** The built gateway as a child process. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, openSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { end, isRunning, removeAtEnd, start } from './children.js';
import { type Caller, newKeys, type Variant, variants } from './configuration.js';
import type { Target } from './types.js';

const START_MS = 20_000;
const READY = /gateway at http:\/\/([\d.]+):(\d+)/;
/** All of 127/8 is this machine on Linux only. */
const ATTACKER_ADDRESS = process.platform === 'linux' ? '127.0.0.2' : undefined;

export interface RunningGateway {
  readonly pid: number;
  readonly variant: string;
  readonly port: number;
  isRunning(): boolean;
  targetOf(caller: Caller): Target;
  stop(): Promise<void>;
}

/** The address, or undefined when the gateway ended: it does not know the configuration. */
const ready = (child: ChildProcess): Promise<RegExpExecArray | undefined> =>
  new Promise((resolve, reject) => {
    let output = '';
    const patience = setTimeout(() => reject(new Error(`the gateway did not start within ${START_MS / 1_000} s`)), START_MS);
    const finish = (match: RegExpExecArray | undefined): void => {
      clearTimeout(patience);
      resolve(match);
    };
    child.stdout?.on('data', (chunk) => {
      output = (output + chunk).slice(-4_096);
      const match = READY.exec(output);
      if (match) finish(match);
    });
    child.once('exit', () => finish(undefined));
  });

const startWith = async (folder: string, { raw }: Variant): Promise<[ChildProcess, RegExpExecArray] | undefined> => {
  const { HOST: _, PORT: __, ...inherited } = process.env;
  const config = join(folder, 'gateway.json');
  writeFileSync(config, JSON.stringify(raw));
  const log = openSync(join(folder, 'gateway.log'), 'w');
  const child = start('../api/server.js', [], {
    env: { ...inherited, HPC_GATEWAY_CONFIG: config },
    execArgv: ['--import', new URL('./bound-to-parent.js', import.meta.url).href],
    stdio: ['ignore', 'pipe', log, 'ipc'],
  });
  const match = await ready(child);
  return match && [child, match];
};

/** Starts it with the first configuration that it takes. */
export const startGateway = async (accounts: object, kind: string): Promise<RunningGateway> => {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-abuse-'));
  removeAtEnd(folder);
  const store = kind === 'lmdb' ? { kind, path: join(folder, 'data') } : { kind };
  const keys = newKeys();
  for (const variant of variants(accounts, store, keys)) {
    const started = await startWith(folder, variant);
    if (started === undefined) continue;
    const [child, [, host = '', port = '']] = started;
    return {
      pid: child.pid ?? 0,
      variant: variant.name,
      port: Number(port),
      isRunning: () => isRunning(child),
      targetOf: (caller) => ({
        host,
        port: Number(port),
        authorization: variant.hasCallers ? `authorization: Bearer ${keys[caller]}` : '',
        from: caller === 'legitimate' ? undefined : ATTACKER_ADDRESS,
      }),
      stop: () => end(child),
    };
  }
  throw new Error('the gateway takes none of the configurations');
};
