/** The stream of the audit trail: a full disk holds up nobody, and a kill loses no line. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { endProcesses, READY, type Run, run as runProgram, server } from '../support/process.js';
import { until } from '../support/wait.js';

jest.setTimeout(60_000);

const PASSWORD = 'Abcdefg1@klm';
/** A device that is always full. */
const FULL = '/dev/full';

describe('the stream of the audit trail', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gateway-stream-'));
  });
  afterEach(() => {
    endProcesses();
    rmSync(folder, { recursive: true });
  });

  const configure = (stream: string): string => {
    const config = join(folder, 'gateway.yaml');
    const raw = {
      store: { path: join(folder, 'data') },
      accounts: { m: { vendor: 'memory', clusters: { c: { users: [] } } } },
      clusters: [{ id: 'c', account: 'm', vendorClusterId: 'c' }],
      audit: { stream },
    };
    writeFileSync(config, JSON.stringify(raw));
    return config;
  };
  const start = async (stream: string): Promise<Run & { url: string }> => {
    const run = server({ HPC_GATEWAY_CONFIG: configure(stream) });
    return { ...run, url: (await run.until(READY))[1] as string };
  };
  const create = async (url: string, username: string): Promise<number> => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ username, password: PASSWORD });
    return (await fetch(`${url}/clusters/c/users`, { method: 'POST', headers, body })).status;
  };
  const idsIn = (text: string): string[] =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { id: string }).id);

  it('that cannot be written is reported, and the gateway serves on', async () => {
    const run = await start(FULL);
    expect(await create(run.url, 'u1')).toBe(201);
    await until(() => run.errors().includes('ENOSPC'));
    expect(await create(run.url, 'u2')).toBe(201);
    run.child.kill('SIGTERM');
    expect(await run.exit).toEqual({ code: 0, signal: null });
    expect(run.errors().split('ENOSPC').length).toBeLessThan(10);
  });

  it('and a log that cannot be written hold up neither requests nor the end', async () => {
    const run = runProgram('sh', ['-c', `exec "$0" dist/api/server.js 2>${FULL}`, process.execPath], {
      HPC_GATEWAY_CONFIG: configure(join(folder, 'trail.jsonl')),
      PORT: '0',
    });
    const url = (await run.until(READY))[1] as string;
    for (let at = 0; at < 20; at++) expect(await create(url, `u${at}`)).toBe(201);
    run.child.kill('SIGTERM');
    expect(await run.exit).toEqual({ code: 0, signal: null });
  });

  it('has every record after a kill, from the next process', async () => {
    const stream = join(folder, 'trail.jsonl');
    const killed = await start(stream);
    for (let at = 0; at < 5; at++) expect(await create(killed.url, `u${at}`)).toBe(201);
    killed.child.kill('SIGKILL');
    await killed.exit;
    const { url } = await start(stream);
    const trail = (await (await fetch(`${url}/audit?limit=200`)).json()) as { items: { id: string }[] };
    const ids = trail.items.map(({ id }) => id).sort();
    expect(ids.length).toBeGreaterThanOrEqual(10);
    await until(
      () => [...new Set(idsIn(readFileSync(stream, 'utf8')))].sort(),
      (seen) => JSON.stringify(seen) === JSON.stringify(ids),
    );
  });

  it('that is no file is refused at the start', async () => {
    const stream = join(folder, 'taken');
    mkdirSync(stream);
    const run = server({ HPC_GATEWAY_CONFIG: configure(stream) });
    expect((await run.exit).code).toBe(1);
    expect(run.errors()).toContain('audit.stream: cannot be written (EISDIR)');
  });
});
