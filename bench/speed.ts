/**
 * What a page of 10 users costs, in processor time of the server as the operating system counts it: the gateway with all that it does (callers with
 * keys and quotas, request log to a file, figures), without and with a kept list, against plain services that do nothing else.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuMs, type Program, peakMiB, startProgram } from './children.js';
import { type Load, loadOf, quantile } from './load.js';
import { median, table } from './measure.js';
import { CLUSTER, KEY } from './peers/vendor-key.js';

const REQUESTS = 1_500;
const ROUNDS = 5;
const PATH = '/clusters/c/users?limit=10';

interface Contender {
  readonly name: string;
  readonly program: Program;
  readonly headers: Readonly<Record<string, string>>;
}

interface Round {
  readonly cpu: number;
  readonly load: Load;
}

/** Keys of the gateway are made as `hpc-gateway key new` makes them. */
const newKey = () => {
  const key = `hpcgw_${randomBytes(32).toString('base64url')}`;
  return { key, hash: `sha256:${createHash('sha256').update(key).digest('hex')}` };
};

export const startGateway = async (vendor: string, seconds: number, log = true): Promise<Contender> => {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-bench-'));
  const { key, hash } = newKey();
  const { region, ...credentials } = KEY;
  const config = {
    server: { port: 0 },
    store: { kind: 'memory' },
    cache: { seconds },
    limits: { requestsPerCallerPerMinute: 100_000_000, maxRequestsInFlight: 10_000 },
    auth: { callers: [{ id: 'bench', keys: [{ hash }], rights: [{ clusters: ['*'], verbs: ['read', 'metrics'] }] }] },
    log: { level: log ? 'info' : 'silent' },
    accounts: { a: { vendor: 'alibaba-ehpc', region, endpoint: vendor, listing: 'sync', signature: 'rpc-v1', credentials } },
    clusters: [{ id: 'c', account: 'a', vendorClusterId: CLUSTER }],
  };
  const path = join(folder, 'gateway.json');
  writeFileSync(path, JSON.stringify(config));
  const program = await startProgram('../api/server.js', { env: { HPC_GATEWAY_CONFIG: path }, log: join(folder, 'log') });
  return {
    name: seconds === 0 ? 'gateway' : 'gateway, kept list',
    program,
    headers: { authorization: `Bearer ${key}` },
  };
};

export const speed = async (): Promise<string> => {
  const vendor = await startProgram('./peers/vendor.js');
  const env = { VENDOR: vendor.url };
  const gateway = await startGateway(vendor.url, 0);
  const keeping = await startGateway(vendor.url, 3_600);
  const body = await (await fetch(`${gateway.program.url}${PATH}`, { headers: gateway.headers })).text();
  // A reading of the whole list, which is kept.
  await fetch(`${keeping.program.url}/clusters/c/users?limit=1000`, { headers: keeping.headers });
  const peer = async (name: string, file: string, more: Record<string, string> = {}): Promise<Contender> => ({
    name,
    program: await startProgram(`./peers/${file}.js`, { env: { ...env, ...more } }),
    headers: {},
  });
  const contenders = [
    gateway,
    await peer('(a) Express, axios', 'express-axios'),
    await peer('(b) Express, official client', 'express-official'),
    await peer('(c) Fastify, undici', 'fastify-undici'),
    keeping,
    await peer('(d) Express, constant', 'constant', { BODY: body }),
  ];
  const rounds = new Map<Contender, Round[]>(contenders.map((contender) => [contender, []]));
  for (const { program, headers } of contenders) await loadOf(program.url, PATH, REQUESTS, headers);
  for (let round = 0; round < ROUNDS; round++)
    for (const contender of contenders) {
      const { program, headers } = contender;
      const before = cpuMs(program);
      const load = await loadOf(program.url, PATH, REQUESTS, headers);
      rounds.get(contender)?.push({ cpu: (cpuMs(program) - before) / REQUESTS, load });
    }
  const figures = contenders.map((contender) => {
    const all = rounds.get(contender) ?? [];
    return {
      name: contender.name,
      cpu: median(all.map(({ cpu }) => cpu)),
      rate: median(all.map(({ load: { requests, seconds } }) => requests / seconds)),
      p50: median(all.map(({ load: { times } }) => quantile(times, 0.5))),
      p99: median(all.map(({ load: { times } }) => quantile(times, 0.99))),
      peak: peakMiB(contender.program),
    };
  });
  await Promise.all([vendor.stop(), ...contenders.map(({ program }) => program.stop())]);
  const [plain, axios, official, , kept, constant] = figures.map(({ cpu }) => cpu);
  const ratio = (one = Number.NaN, other = Number.NaN): string => (one / other).toFixed(2);
  return [
    `speed: a page of 10 users of E-HPC, ${REQUESTS} requests a round by 16 at a time, medians of ${ROUNDS} interleaved rounds`,
    table([
      ['', 'CPU ms a request', 'requests/s', 'p50 ms', 'p99 ms', 'peak MiB'],
      ...figures.map(({ name, cpu, rate, p50, p99, peak }) => [
        name,
        cpu.toFixed(2),
        rate.toFixed(0),
        p50.toFixed(1),
        p99.toFixed(1),
        peak.toFixed(0),
      ]),
    ]),
    `CPU of the gateway against (a) ${ratio(plain, axios)}, against (b) ${ratio(plain, official)}; with a kept list against (d) ${ratio(kept, constant)}`,
  ].join('\n');
};
