/** What the canary tests work on: both vendors, a proxy, an issuer, and the built program, configured with secrets that are known to the search. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EHPC_CLUSTER, SHANHE_CLUSTER, startEhpc, startShanhe } from '../backends.js';
import { makeCaller, type TestCaller } from '../callers.js';
import { AUDIENCE, startIssuer, type TestIssuer } from '../issuer.js';
import { READY, type Run, server } from '../process.js';
import { clearFaults, type Vendors } from './faults.js';
import { createRecorder, type Recorder } from './recorder.js';
import { type Canaries, createCanaries, randomText } from './secrets.js';
import { startTunnels, type Tunnels } from './tunnels.js';

const RPC_CLUSTER = 'ehpc-hz-canary0002';
const PROXIED_CLUSTER = 'ehpc-proxied1';
export const CLUSTERS = ['ali', 'ali-rpc', 'shan', 'shan-px'] as const;

export interface Stage extends Vendors {
  readonly canaries: Canaries;
  readonly tunnels: Tunnels;
  readonly issuer: TestIssuer;
  readonly caller: TestCaller;
  readonly storeKey: Buffer;
  readonly folder: string;
  /** Of an LMDB store. */
  readonly data: string;
  readonly recorder: Recorder;
  /** The process that runs now. */
  run(): Run;
  /** Starts the program. @returns when it is ready */
  start(): Promise<void>;
  /** A token that the gateway takes. */
  token(): Promise<string>;
  /** What all processes wrote, by where. */
  written(): Promise<ReadonlyMap<string, Buffer>>;
  close(): Promise<void>;
}

const keysOfVendors = ({ watch }: Canaries) => ({
  ehpc: {
    accessKeyId: watch('access key id (ehpc)', `LTAI5t${randomText(18)}`),
    accessKeySecret: watch('access key secret (ehpc)', randomText(30)),
    securityToken: watch('security token', `${randomText(12)}/+=${randomText(20)}`),
  },
  shanhe: {
    accessKeyId: watch('access key id (shanhe)', randomText(20)),
    secretAccessKey: watch('access key secret (shanhe)', randomText(40)),
  },
});

const twoClusters = (users: readonly { username: string; role: 'member' }[]) =>
  [SHANHE_CLUSTER, PROXIED_CLUSTER].map((id) => ({ id, name: id, type: 'ehpc' as const, status: 'active', users: [...users] }));

const ehpcClusters = [EHPC_CLUSTER, RPC_CLUSTER].map((id) => ({
  id,
  name: id,
  status: 'running',
  users: Array.from({ length: 12 }, (_, index) => ({ name: `user.000${index}`, group: 'users' as const })),
}));

const members = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ username: `u${index}`, role: 'member' as const }));

/** The content of all files of a folder, whole. */
export const filesIn = (folder: string): ReadonlyMap<string, Buffer> =>
  new Map(
    readdirSync(folder, { recursive: true })
      .map(String)
      .filter((name) => statSync(join(folder, name)).isFile())
      .map((name) => [name, readFileSync(join(folder, name))]),
  );

/** @param storeOf the `store` of the configuration, but for its key */
export const createStage = async (
  storeOf: (folder: string, canaries: Canaries) => Promise<object>,
  settings: object = {},
): Promise<Stage> => {
  const canaries = createCanaries();
  const { watch, watchBytes } = canaries;
  const folder = mkdtempSync(join(tmpdir(), 'gateway-canary-'));
  const keys = keysOfVendors(canaries);
  const [ehpc, shanhe, tunnels, issuer] = await Promise.all([
    startEhpc({ ...keys.ehpc, asyncDelayMs: 5, clusters: ehpcClusters }),
    startShanhe({ ...keys.shanhe, jobMs: 20, clusters: twoClusters(members(12)) }),
    startTunnels(),
    startIssuer(),
  ]);
  const storeKey = watchBytes('store key', randomBytes(32));
  const caller = makeCaller('portal');
  watch('API key', caller.key.slice('hpcgw_'.length));
  const proxyPassword = watch('proxy password', randomText(20));

  // In files, as an operator would: nothing of a secret is in the configuration, the environment or the command line.
  mkdirSync(join(folder, 'given'));
  const given = (name: string, text: string): string => {
    writeFileSync(join(folder, 'given', name), `${text}\n`, { mode: 0o600 });
    return `\${file:given/${name}}`;
  };
  const store = (await storeOf(folder, canaries)) as { url?: string };
  const ehpcAccount = {
    vendor: 'alibaba-ehpc',
    region: ehpc.region,
    endpoint: ehpc.endpoint,
    domain: 'aliyun',
    discover: true,
    credentials: {
      accessKeyId: given('ehpc-id', keys.ehpc.accessKeyId),
      accessKeySecret: given('ehpc-secret', keys.ehpc.accessKeySecret),
      securityToken: given('ehpc-token', keys.ehpc.securityToken),
    },
  };
  const shanheAccount = {
    vendor: 'shanhe-hpc',
    // More calls than the vendor would take.
    budget: { calls: 1_000_000, perSeconds: 3_600 },
    endpoint: shanhe.endpoint,
    zone: shanhe.zone,
    domain: 'jinan',
    discover: true,
    credentials: {
      accessKeyId: given('shanhe-id', keys.shanhe.accessKeyId),
      secretAccessKey: given('shanhe-secret', keys.shanhe.secretAccessKey),
    },
  };
  const rights = [{ clusters: ['*'], verbs: ['read', 'write', 'operate', 'audit', 'metrics'], roles: ['owner'] }];
  const config = {
    server: { settleSeconds: 0, callSeconds: 0.5, deadlineSeconds: 1, drainSeconds: 1, jobSeconds: 5 },
    limits: { requestsPerCallerPerMinute: 1_000_000 },
    store: {
      leaseSeconds: 0.5,
      ...store,
      ...(store.url && { url: given('store-url', store.url) }),
      encryptionKey: given('store-key', storeKey.toString('base64')),
    },
    log: { level: 'debug' },
    audit: { stream: 'audit.jsonl' },
    auth: { callers: [caller.config], jwt: [{ issuer: issuer.url, audience: AUDIENCE, jwksUri: issuer.jwksUri, rights }] },
    accounts: {
      aliyun: { ...ehpcAccount, signature: 'acs3', listing: 'async' },
      'aliyun-rpc': { ...ehpcAccount, signature: 'rpc-v1', listing: 'sync' },
      jinan: shanheAccount,
      'jinan-px': {
        ...shanheAccount,
        proxy: given('proxy', `http://gate:${proxyPassword}@127.0.0.1:${tunnels.port}`),
      },
    },
    clusters: [
      { id: 'ali', account: 'aliyun', vendorClusterId: EHPC_CLUSTER },
      { id: 'ali-rpc', account: 'aliyun-rpc', vendorClusterId: RPC_CLUSTER },
      { id: 'shan', account: 'jinan', vendorClusterId: SHANHE_CLUSTER },
      { id: 'shan-px', account: 'jinan-px', vendorClusterId: PROXIED_CLUSTER },
    ],
    ...settings,
  };
  const path = join(folder, 'gateway.json');
  writeFileSync(path, JSON.stringify(config));

  const runs: Run[] = [];
  const seen: string[] = [];
  let url = '';
  const run = (): Run => runs.at(-1) as Run;

  return {
    canaries,
    ehpc,
    shanhe,
    tunnels,
    issuer,
    caller,
    storeKey,
    folder,
    data: join(folder, 'data'),
    recorder: createRecorder(() => url),
    run,
    start: async () => {
      // Its spans are on standard output, to be looked through.
      const traces = { OTEL_TRACES_EXPORTER: 'console', OTEL_BSP_SCHEDULE_DELAY: '100', OTEL_BSP_MAX_QUEUE_SIZE: '100000' };
      const started = server({ HPC_GATEWAY_CONFIG: path, ...traces });
      runs.push(started);
      url = (await started.until(READY))[1] as string;
      // What other processes of the machine can see of it.
      for (const name of ['cmdline', 'comm', 'environ']) seen.push(readFileSync(`/proc/${started.child.pid}/${name}`, 'latin1'));
    },
    token: async () => {
      const token = await issuer.sign();
      watch(`token ${token.length}-${randomText(4)}`, token.split('.')[2] as string);
      return token;
    },
    written: async () => {
      const parts = new Map<string, Buffer>();
      for (const [index, { output, errors }] of runs.entries()) {
        parts.set(`output ${index}`, Buffer.from(output()));
        parts.set(`log ${index}`, Buffer.from(errors()));
      }
      parts.set('process', Buffer.from(seen.join('\n'), 'latin1'));
      for (const [name, content] of filesIn(folder)) if (!/^(given|data)\//.test(name)) parts.set(`file ${name}`, content);
      return parts;
    },
    close: async () => {
      clearFaults({ ehpc, shanhe });
      await Promise.all([ehpc.close(), shanhe.close(), tunnels.close(), issuer.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
