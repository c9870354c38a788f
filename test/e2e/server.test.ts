/** The program itself, as `npm start` runs it. `npm test` builds it first. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { EHPC_CLUSTER, ehpcAccount, startEhpc } from '../support/backends.js';
import { endProcesses, READY, run, server } from '../support/process.js';
import { until as look, pause } from '../support/wait.js';

/** Longer than a test may take: a wait that must not happen is noticed. */
const FOREVER = { deadlineSeconds: 600, drainSeconds: 600 };

const folder = mkdtempSync(join(tmpdir(), 'gateway-e2e-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(endProcesses);

describe('the demo', () => {
  it('serves both vendors from nothing, and its own three lines work', async () => {
    const { until, output, child, exit } = server();
    const url = (await until(READY))[1] as string;
    await until(/choose|Choose/i);
    expect(output()).toContain(`${url}/docs`);
    expect(output()).toMatch(/DEMO/);
    const lines = output().match(/^ *curl .*$/gm) ?? [];
    expect(lines).toHaveLength(3);
    for (const line of lines) {
      const { exit: ended, output: answer } = run('sh', ['-c', `${line.trim()} -s -w '\\n%{http_code}'`]);
      await ended;
      const [body = '', status] = answer().split(/\n(?=\d{3}$)/);
      expect([line, Number(status) < 300]).toEqual([line, true]);
      expect(() => JSON.parse(body)).not.toThrow();
    }
    for (const [cluster, total] of [
      ['demo-ehpc', 125],
      ['demo-shanhe', 251],
    ]) {
      const { total: told } = (await (await fetch(`${url}/clusters/${cluster}/users`)).json()) as { total: number };
      expect([cluster, told]).toEqual([cluster, total]);
    }
    child.kill('SIGTERM');
    expect(await exit).toEqual({ code: 0, signal: null });
  });

  it('imports the course of the README by its command, and the same again changes nothing', async () => {
    const { until, child, exit } = server();
    const url = (await until(READY))[1] as string;
    const command = readFileSync('README.md', 'utf8').match(/^curl .*course\.csv"$/m)?.[0] ?? '';
    const send = async (): Promise<string> => {
      const { exit: ended, output } = run('sh', ['-c', `${command.replace('http://127.0.0.1:8080', url)} -s`]);
      await ended;
      return output();
    };
    const first = await send();
    const { summary, results } = JSON.parse(first) as { summary: { created: number; refused: number }; results: unknown[] };
    expect([summary.created, summary.refused, results.length]).toEqual([299, 1, 300]);
    expect(results[149]).toMatchObject({ username: 'cs 26150', status: 'refused', problem: { code: 'invalid_user' } });
    expect(await send()).toBe(first);
    child.kill('SIGTERM');
    expect(await exit).toEqual({ code: 0, signal: null });
  });

  it('is the very process that npm start starts with its script, so that SIGTERM reaches it', async () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { start: string } };
    const { until, child, exit } = run('sh', ['-c', scripts.start], { PORT: '0' });
    await until(READY);
    child.kill('SIGTERM');
    expect(await exit).toEqual({ code: 0, signal: null });
  });

  it('stops with 0 when the signal goes to npm', async () => {
    const { until, child, exit } = run('npm', ['start'], { PORT: '0' });
    await until(READY);
    child.kill('SIGTERM');
    expect((await exit).code).toBe(0);
  });
});

describe('stopping', () => {
  it('finishes the request that is running, and takes no more', async () => {
    const simulator = await startEhpc({ latencyMs: 600 });
    const path = join(folder, 'slow.yaml');
    const raw = {
      server: FOREVER,
      store: { kind: 'memory' },
      accounts: { a: { ...ehpcAccount(simulator), listing: 'sync' } },
      clusters: [{ id: 'c', account: 'a', vendorClusterId: EHPC_CLUSTER }],
    };
    writeFileSync(path, JSON.stringify(raw));
    const { until, child, exit } = server({ HPC_GATEWAY_CONFIG: path });
    const url = (await until(READY))[1] as string;
    const running = fetch(`${url}/clusters/c/users`);
    await look(() => simulator.calls.length > 0);
    child.kill('SIGTERM');
    const isRefused = (): Promise<boolean> =>
      fetch(`${url}/healthz`).then(
        () => false,
        () => true,
      );
    await look(isRefused);
    const answer = await running;
    expect(answer.status).toBe(200);
    expect(((await answer.json()) as { items: unknown[] }).items).toHaveLength(50);
    expect((await exit).code).toBe(0);
    await simulator.close();
  });
});

describe('stopping on signals', () => {
  const slowly = async (latencyMs: number): Promise<{ path: string; isAsked(): Promise<unknown>; close(): Promise<void> }> => {
    const simulator = await startEhpc({ latencyMs });
    const path = join(folder, `slow-${latencyMs}.yaml`);
    const account = { ...ehpcAccount(simulator), listing: 'sync' };
    writeFileSync(
      path,
      JSON.stringify({
        store: { kind: 'memory' },
        accounts: { a: account },
        clusters: [{ id: 'c', account: 'a', vendorClusterId: EHPC_CLUSTER }],
      }),
    );
    return { path, isAsked: () => look(() => simulator.calls.length > 0), close: () => simulator.close() };
  };

  it('takes a signal that comes twice for one, as npm and a terminal send it', async () => {
    const { path, isAsked, close } = await slowly(800);
    const { until, child, exit } = server({ HPC_GATEWAY_CONFIG: path });
    const running = fetch(`${(await until(READY))[1]}/clusters/c/users`);
    await isAsked();
    child.kill('SIGINT');
    child.kill('SIGTERM');
    await pause(100);
    child.kill('SIGINT');
    expect((await running).status).toBe(200);
    expect(await exit).toEqual({ code: 0, signal: null });
    await close();
  });

  it('is not ready at once, and serves on until others have noticed', async () => {
    const path = join(folder, 'delayed.yaml');
    const accounts = { a: { vendor: 'memory', clusters: { c: { users: [] } } } };
    const clusters = [{ id: 'c', account: 'a', vendorClusterId: 'c' }];
    const settings = { server: { shutdownDelaySeconds: 1.5 }, store: { kind: 'memory' }, accounts, clusters };
    writeFileSync(path, JSON.stringify(settings));
    const { until, child, exit } = server({ HPC_GATEWAY_CONFIG: path });
    const url = (await until(READY))[1] as string;
    const ready = async () => fetch(`${url}/readyz`);
    expect((await ready()).status).toBe(200);
    child.kill('SIGTERM');
    await look(async () => (await ready()).status === 503);
    expect(await (await ready()).json()).toMatchObject({ code: 'shutting_down', retryable: true });
    const created = await fetch(`${url}/clusters/c/users`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'late', password: 'Abcdefg1@klm' }),
    });
    expect(created.status).toBe(201);
    expect(await exit).toEqual({ code: 0, signal: null });
  });

  it('stops at once on a signal that comes later', async () => {
    const { path, isAsked, close } = await slowly(15_000);
    const { until, child, exit } = server({ HPC_GATEWAY_CONFIG: path });
    const running = fetch(`${(await until(READY))[1]}/clusters/c/users`).catch(() => undefined);
    await isAsked();
    child.kill('SIGTERM');
    await pause(2_300);
    child.kill('SIGTERM');
    expect((await exit).code).toBe(1);
    await running;
    await close();
  });

  /** Nothing is slow there; but whatever runs is waited for. */
  const patient = (): string => {
    const path = join(folder, 'patient.yaml');
    const accounts = { a: { vendor: 'memory', clusters: { c: { users: [] } } } };
    const clusters = [{ id: 'c', account: 'a', vendorClusterId: 'c' }];
    writeFileSync(path, JSON.stringify({ server: FOREVER, store: { kind: 'memory' }, accounts, clusters }));
    return path;
  };

  it('does not wait for a request that is not all there', async () => {
    const { until, child, exit } = server({ HPC_GATEWAY_CONFIG: patient() });
    const { hostname, port } = new URL((await until(READY))[1] as string);
    const half = connect(Number(port), hostname);
    half.on('error', () => undefined);
    half.write('POST /clusters/c/users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"a');
    await pause(300);
    child.kill('SIGTERM');
    expect((await exit).code).toBe(0);
  });

  it('does not wait for a connection that was opened and never used', async () => {
    const { until, child, exit } = server({ HPC_GATEWAY_CONFIG: patient() });
    const { hostname, port } = new URL((await until(READY))[1] as string);
    const idle = connect(Number(port), hostname);
    await new Promise((resolve) => idle.once('connect', resolve));
    await pause(100);
    child.kill('SIGTERM');
    expect((await exit).code).toBe(0);
    idle.destroy();
  });

  it('names in the log the write that it could not wait for', async () => {
    const simulator = await startEhpc();
    const path = join(folder, 'hanging.yaml');
    writeFileSync(
      path,
      JSON.stringify({
        server: { drainSeconds: 0.3, deadlineSeconds: 0.2 },
        store: { kind: 'memory' },
        accounts: { a: ehpcAccount(simulator) },
        clusters: [{ id: 'c', account: 'a', vendorClusterId: EHPC_CLUSTER }],
      }),
    );
    const { until, child, exit, errors } = server({ HPC_GATEWAY_CONFIG: path });
    const url = (await until(READY))[1] as string;
    simulator.inject({ kind: 'hang', action: 'AddUsers' });
    const body = JSON.stringify({ username: 'left.alone', password: 'Abcdefg1@klm' });
    const answer = await fetch(`${url}/clusters/c/users`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    expect(answer.status).toBe(504);
    child.kill('SIGTERM');
    expect((await exit).code).toBe(0);
    expect(errors()).toMatch(/"kind":"createUser","clusterId":"c".*"usernames":\["left\.alone"\].*outcome is not known/);
    expect(errors()).not.toContain('Abcdefg1');
    await simulator.close();
  });
});

describe('a start that could be a mistake', () => {
  it('without a configuration in production is refused, and names the variable; the demo can be asked for', async () => {
    const refused = server({ NODE_ENV: 'production' });
    expect((await refused.exit).code).toBe(1);
    expect(refused.errors()).toMatch(/HPC_GATEWAY_CONFIG .*HPC_GATEWAY_DEMO=1/);
    const asked = server({ NODE_ENV: 'production', HPC_GATEWAY_DEMO: '1' });
    const url = (await asked.until(READY))[1] as string;
    const ready = await fetch(`${url}/readyz`);
    expect([await ready.json(), ready.headers.get('x-demo')]).toEqual([{ status: 'ok', demo: true }, 'true']);
    asked.child.kill('SIGTERM');
    expect((await asked.exit).code).toBe(0);
  });

  it.each([
    [{ HPC_GATEWAY_CONFG: 'x.yaml' }, /HPC_GATEWAY_CONFG is not a known variable. Did you mean HPC_GATEWAY_CONFIG\?/],
    [{ HPC_GATEWAY_DEMO: 'yes' }, /HPC_GATEWAY_DEMO has to be 1 or 0/],
    [{ HPC_GATEWAY_DEMO: '0' }, /There is no configuration/],
    [{ HPC_GATEWAY_DEMO: '1', HPC_GATEWAY_CONFIG: 'x.yaml' }, /contradict each other/],
  ])('%j is refused', async (env, reason) => {
    const { exit, errors } = server(env as Record<string, string>);
    expect((await exit).code).toBe(1);
    expect(errors()).toMatch(reason);
  });

  it('the demo, and a configuration without auth, beyond this machine are refused', async () => {
    const path = join(folder, 'open.yaml');
    writeFileSync(path, 'server: { host: 0.0.0.0 }\naccounts: { a: { vendor: memory, clusters: {} } }\n');
    const line = 'without auth the gateway listens on this machine only';
    for (const [env, place] of [
      [{ HOST: '0.0.0.0' }, `HOST (environment): ${line}`],
      [{ HPC_GATEWAY_CONFIG: path }, `${path}: line 1: server.host: ${line}`],
    ] as const) {
      const { exit, errors, output } = server(env);
      expect((await exit).code).toBe(1);
      expect(errors()).toContain(place);
      expect(output()).not.toMatch(READY);
    }
  });

  it('SIGHUP is ignored with a line, and no request is dropped', async () => {
    const { until, child, exit, errors } = server();
    const url = (await until(READY))[1] as string;
    const asking = fetch(`${url}/clusters/demo-shanhe/users?limit=200`);
    child.kill('SIGHUP');
    expect((await asking).status).toBe(200);
    await look(() => errors().includes('SIGHUP is ignored'));
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    child.kill('SIGTERM');
    expect((await exit).code).toBe(0);
  });
});

describe('what cannot be served', () => {
  it('arguments, and a configuration that is named by nothing', async () => {
    const asked = run(process.execPath, ['dist/api/server.js', '--help'], { PORT: '0' });
    expect((await asked.exit).code).toBe(0);
    expect(asked.output()).toContain('HPC_GATEWAY_CONFIG names its configuration');
    const empty = server({ HPC_GATEWAY_CONFIG: '' });
    expect((await empty.exit).code).toBe(1);
    expect(empty.errors()).toContain('is set, but empty');
  });

  it.each([
    ['a wrong key', 'accounts: { a: { vendor: memory, clusters: {}, colour: red } }', 'accounts.a.colour: is not a known key'],
    ['no YAML', 'accounts: [', 'line 1'],
  ])('%s exits 1 and names the place', async (_, yaml, reason) => {
    const path = join(folder, 'wrong.yaml');
    writeFileSync(path, yaml);
    const { exit, errors, output } = server({ HPC_GATEWAY_CONFIG: path });
    expect((await exit).code).toBe(1);
    expect(errors()).toContain(`${path}: `);
    expect(errors()).toContain(reason);
    expect(errors()).not.toContain('    at ');
    expect(output()).toBe('');
  });

  it('a missing file exits 1', async () => {
    const { exit, errors } = server({ HPC_GATEWAY_CONFIG: join(folder, 'none.yaml') });
    expect((await exit).code).toBe(1);
    expect(errors()).toContain('none.yaml: cannot be read (ENOENT)');
  });

  it('a port in use exits 1 and says what to change', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    const { exit, errors } = server({ PORT: String(port) });
    expect((await exit).code).toBe(1);
    expect(errors()).toMatch(/EADDRINUSE.*Set PORT/);
    taken.close();
  });
});
