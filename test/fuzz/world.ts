/** The built gateway in a process of its own, over both simulators. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Simulator } from '../../simulators/kit/index.js';
import { startEhpc, startShanhe } from '../support/backends.js';
import { configOver } from '../support/both-vendors.js';
import { makeCaller, type TestCaller } from '../support/callers.js';
import { until } from '../support/wait.js';
import type { Credentials } from './sending.js';

export type StoreKind = 'memory' | 'lmdb';

/** Longer than anything takes on a busy machine: who waits for a place in a queue is not to run into it. */
export const DEADLINE_MS = 10_000;

export interface Health {
  readonly gapMs: number;
  readonly heapBytes: number;
}

export interface World {
  readonly url: string;
  readonly simulators: readonly Simulator[];
  readonly credentials: Credentials;
  /** By key. */
  readonly keyNames: ReadonlyMap<string, string>;
  health(): Promise<Health>;
  /** Log lines of faults of the gateway, and what its process said beside them. */
  complaints(): string[];
  close(): Promise<void>;
}

/** Records are removed within the run, so that only what leaks adds up. */
const SHORT = { operationDays: 0.0002, idempotencyKeyHours: 0.005, auditDays: 0.0002 };
/** As good as none. */
const UNLIMITED = { limits: { requestsPerCallerPerMinute: 1_000_000 } };
const EVERY = ['read', 'write', 'operate', 'metrics', 'audit'];

const makeCallers = (): Readonly<Record<'admin' | 'reader' | 'writer' | 'other' | 'limited', TestCaller>> => ({
  admin: makeCaller('admin', [{ clusters: ['*'], verbs: EVERY, roles: ['owner'] }], UNLIMITED),
  reader: makeCaller('reader', [{ clusters: ['ali', 'shan'], verbs: ['read'] }], UNLIMITED),
  writer: makeCaller('writer', [{ clusters: ['ali', 'shan*'], verbs: ['read', 'write'], roles: ['member'] }], UNLIMITED),
  other: makeCaller('other', [{ clusters: ['ehpc-*'], verbs: ['write', 'audit'], roles: ['member'] }], UNLIMITED),
  limited: makeCaller('limited', [{ clusters: ['*'], verbs: EVERY }], { limits: { requestsPerCallerPerMinute: 5 } }),
});

const bearer = ({ key }: TestCaller): readonly (readonly [string, string])[] => [['Authorization', `Bearer ${key}`]];

const MIN_ERROR_LEVEL = 50;

const isFault = (line: string): boolean => {
  try {
    return (JSON.parse(line) as { level: number }).level >= MIN_ERROR_LEVEL;
  } catch {
    return true;
  }
};

const start = async (child: ChildProcess, output: () => string): Promise<string> => {
  const isOver = (): boolean => child.exitCode !== null;
  const [, url] = (await until(
    () => /gateway at (http:\/\/[\d.:]+)/.exec(output()) ?? (isOver() ? ['', ''] : null),
    (found) => found !== null,
  )) ?? ['', ''];
  if (!url) throw new Error(`the gateway did not start: ${output()}`);
  return url;
};

export const startWorld = async (store: StoreKind): Promise<World> => {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-fuzz-'));
  const [ehpc, shanhe] = await Promise.all([startEhpc(), startShanhe()]);
  const callers = makeCallers();
  const { server, ...rest } = configOver({ ehpc, shanhe });
  const config = {
    ...rest,
    server: { ...server, port: 0, deadlineSeconds: DEADLINE_MS / 1_000, callSeconds: 1, sendSeconds: 2 },
    store: { kind: store, path: join(folder, 'data') },
    retention: SHORT,
    auth: { callers: Object.values(callers).map((caller) => caller.config) },
  };
  const path = join(folder, 'gateway.yaml');
  writeFileSync(path, JSON.stringify(config));
  const { HOST: _, PORT: __, HPC_GATEWAY_DEMO: ___, ...inherited } = process.env;
  const child = spawn(process.execPath, ['--expose-gc', '--import', './test/fuzz/probe.mjs', 'dist/api/server.js'], {
    env: { ...inherited, HPC_GATEWAY_CONFIG: path },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  let log = '';
  const complaints: string[] = [];
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    const lines = `${log}${chunk}`.split('\n');
    log = lines.pop() ?? '';
    complaints.push(...lines.filter((line) => line !== '' && isFault(line)));
  });
  const exited = once(child, 'exit');
  let isClosing = false;
  void exited.then(([code, signal]) => {
    if (!isClosing) complaints.push(`the gateway ended: ${code ?? signal}`);
  });
  const url = await start(child, () => `${output}${complaints.join('\n')}`);
  const [admin, reader, writer, other, limited] = [callers.admin, callers.reader, callers.writer, callers.other, callers.limited];
  return {
    url,
    simulators: [ehpc, shanhe],
    credentials: {
      admin: bearer(admin),
      reader: bearer(reader),
      writer: [['X-API-Key', writer.key]],
      other: bearer(other),
      limited: bearer(limited),
      stranger: [['Authorization', `Bearer hpcgw_${'x'.repeat(43)}`]],
      nobody: [],
      both: [...bearer(reader), ['X-API-Key', admin.key]],
    },
    keyNames: new Map(Object.entries(callers).map(([name, { key }]) => [key, `${name.toUpperCase()}_KEY`])),
    health: async () => {
      const answered = once(child, 'message');
      child.send('health');
      const [health] = (await answered) as [Health];
      return health;
    },
    complaints: () => [...complaints],
    close: async () => {
      isClosing = true;
      child.kill('SIGKILL');
      await exited;
      await Promise.all([ehpc.close(), shanhe.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
