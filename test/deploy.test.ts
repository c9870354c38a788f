/** Files for deployment: what they name is there. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { adapters } from '../adapters/index.js';
import { checkConfig } from '../src/config/load.js';
import { startGateway } from './support/gateway.js';

const read = (path: string): string => readFileSync(path, 'utf8');
/** Of Node and of the process; what Prometheus adds. */
const OTHERS = /^(nodejs_|process_|up$)/;
const NAME = /\b(?:hpc_gateway|nodejs|process)_[a-z0-9_]+/g;

const figures = async (): Promise<Set<string>> => {
  const gateway = await startGateway({
    accounts: {
      m: { vendor: 'memory', budget: { calls: 10, perSeconds: 60 }, clusters: { c: { users: [{ username: 'ada' }] } } },
    },
    clusters: [{ id: 'c', account: 'm', vendorClusterId: 'c' }],
  });
  try {
    await gateway.get('/clusters/c/users');
    const { text } = await gateway.get('/metrics');
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
    return new Set(
      types.flatMap(([, name = '', type]) =>
        type === 'histogram' ? [`${name}_count`, `${name}_bucket`, `${name}_sum`] : [name],
      ),
    );
  } finally {
    await gateway.stop();
  }
};

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}
interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
}

describe('what watches the gateway', () => {
  it('asks for figures that there are', async () => {
    const known = await figures();
    const { groups } = parse(read('deploy/prometheus/alerts.yml')) as Rules;
    const { panels } = JSON.parse(read('deploy/grafana/hpc-gateway.json')) as Dashboard;
    const asked = [
      ...groups.flatMap(({ rules }) => rules.map(({ expr }) => expr)),
      ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ].flatMap((expr) => expr.match(NAME) ?? []);
    expect(asked.length).toBeGreaterThan(20);
    for (const name of asked) expect([name, known.has(name) || OTHERS.test(name)]).toEqual([name, true]);
    // And each of ours is shown somewhere.
    const shown = new Set(asked.map((name) => name.replace(/_(count|bucket|sum)$/, '')));
    const own = [...known]
      .map((name) => name.replace(/_(count|bucket|sum)$/, ''))
      .filter((name) => name.startsWith('hpc_gateway'));
    for (const name of own.filter((each) => each !== 'hpc_gateway_build_info'))
      expect([name, shown.has(name)]).toEqual([name, true]);
  });

  it('has a word for every alert and every panel', () => {
    const text = read('docs/monitoring.md').toLowerCase();
    const { groups } = parse(read('deploy/prometheus/alerts.yml')) as Rules;
    for (const { alert } of groups.flatMap(({ rules }) => rules)) expect(text).toContain(alert.toLowerCase());
  });
});

describe('what runs it', () => {
  it('has a configuration that it takes', () => {
    const env = {
      REDIS_PASSWORD: 'a-password',
      GATEWAY_STORE_KEY: Buffer.alloc(32, 1).toString('base64'),
      PORTAL_KEY_HASH: `sha256:${'0'.repeat(64)}`,
      SHANHE_ACCESS_KEY_ID: 'id',
      SHANHE_SECRET_ACCESS_KEY: 'secret',
    };
    const { server } = checkConfig(parse(read('deploy/gateway.yaml')), adapters, env, 'deploy');
    const { services } = parse(read('docker-compose.yml'), { merge: true }) as {
      services: Record<string, { environment?: object; stop_grace_period?: string }>;
    };
    expect(Object.keys(services['gateway-1']?.environment ?? {}).sort()).toEqual(Object.keys(env).sort());
    const grace = Number.parseInt(services['gateway-1']?.stop_grace_period ?? '0', 10);
    expect(grace).toBeGreaterThan(server.shutdownDelaySeconds + server.drainSeconds);
    const example = parse(read('examples/redis-compose/gateway.yaml'));
    const { STORE_KEY, ...others } = { STORE_KEY: env.GATEWAY_STORE_KEY, ...env };
    expect(checkConfig(example, adapters, { STORE_KEY, ...others }, 'examples').store.kind).toBe('redis');
    const compose = parse(read('examples/redis-compose/compose.yaml'), { merge: true }) as typeof services & {
      services: Record<string, { environment?: object }>;
    };
    for (const name of Object.keys(compose.services['gateway-1']?.environment ?? {}))
      expect([name, name in { STORE_KEY, ...others }]).toEqual([name, true]);
    const idle = Number(/keepalive_timeout (\d+)s/.exec(read('deploy/nginx.conf'))?.[1]);
    expect(server.keepAliveSeconds).toBeGreaterThan(idle);
  });

  it('copies into the image what the build reads', () => {
    const ignored = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names = '']) => names.split(' '));
    expect(copied.filter((name) => !ignored.includes(name))).toEqual([]);
    const { include } = JSON.parse(read('tsconfig.build.json')) as { include: string[] };
    for (const folder of include) expect(copied).toContain(folder);
  });
});
