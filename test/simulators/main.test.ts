import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { acs3 } from './support/ehpc-client.js';
import { get } from './support/shanhe-client.js';

/** Compiled by `npm test` beforehand. */
const MAIN = fileURLToPath(new URL('../../dist/simulators/main.js', import.meta.url));

const launch = (env: Record<string, string> = {}) => {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    output.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output.err += chunk;
  });
  return { child, output };
};

const exitOf = async (child: ChildProcess) => {
  if (child.exitCode !== null) return child.exitCode;
  const [code] = await once(child, 'close');
  return code;
};

const firstLine = async ({ child, output }: ReturnType<typeof launch>) => {
  while (!output.out.includes('\n')) {
    if (child.exitCode !== null) throw new Error(`ended early: ${output.err}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return JSON.parse(output.out);
};

describe('keys from the environment', () => {
  test('are taken as they are, both halves or none', async () => {
    const key = { ALIBABA_ACCESS_KEY_ID: 'LTAIfixed', ALIBABA_ACCESS_KEY_SECRET: 'fixed-secret' };
    const run = launch({ ...key, SHANHE_ACCESS_KEY_ID: 'SHFIXED', SHANHE_SECRET_ACCESS_KEY: 'other-secret' });
    expect(await firstLine(run)).toMatchObject({
      'alibaba-ehpc': { accessKeyId: 'LTAIfixed', accessKeySecret: 'fixed-secret' },
      'shanhe-hpc': { accessKeyId: 'SHFIXED', secretAccessKey: 'other-secret' },
    });
    expect(run.output.out.split('\n').filter((line) => line !== '')).toHaveLength(1);
    run.child.kill('SIGTERM');
    await exitOf(run.child);
    const half = launch({ ALIBABA_ACCESS_KEY_ID: 'LTAIfixed' });
    expect(await exitOf(half.child)).toBe(1);
    expect(half.output.err).toContain('ALIBABA_ACCESS_KEY_SECRET is missing');
  });
});

describe('dist/simulators/main.js', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('prints one JSON line, serves, and ends with 0 on %s', async (signal) => {
    const run = launch();
    const line = await firstLine(run);
    expect(line).toEqual({
      'alibaba-ehpc': {
        endpoint: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
        accessKeyId: expect.stringMatching(/^LTAI\w{20}$/),
        accessKeySecret: expect.stringMatching(/^\w{30}$/),
        region: 'cn-hangzhou',
        clusters: ['ehpc-hz-demo000001', 'ehpc-hz-demo000002', 'ehpc-hz-demo000003'],
      },
      'shanhe-hpc': {
        endpoint: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/api$/),
        accessKeyId: expect.stringMatching(/^[A-Z]{20}$/),
        secretAccessKey: expect.stringMatching(/^\w{40}$/),
        zone: 'jn1a',
        clusters: ['ehpc-demo0001', 'hpc-demo0001', 'ehpc-demo0002'],
      },
    });
    const ehpc = await acs3(line['alibaba-ehpc'], 'ListUsers', { ClusterId: line['alibaba-ehpc'].clusters[0] });
    expect(ehpc.json['TotalCount']).toBe(125);
    const shanhe = await get(line['shanhe-hpc'], '/user', { cluster_id: line['shanhe-hpc'].clusters[0] });
    expect(shanhe.json['total_count']).toBe(250);
    run.child.kill(signal);
    expect(await exitOf(run.child)).toBe(0);
    expect(run.output.out.trim().split('\n')).toHaveLength(1);
  });

  test.each(['abc', '-1', '65536', '80.5'])('ALIBABA_PORT=%s ends with 1 and says why', async (port) => {
    const { child, output } = launch({ ALIBABA_PORT: port });
    expect(await exitOf(child)).toBe(1);
    expect(output).toEqual({ out: '', err: `simulators: ALIBABA_PORT must be a port from 0 to 65535, not '${port}'\n` });
  });

  test('a taken port ends with 1 and one line', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const address = holder.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { child, output } = launch({ SHANHE_PORT: String(port) });
    expect(await exitOf(child)).toBe(1);
    expect(output.err).toBe(`simulators: port ${port} is in use; choose another ALIBABA_PORT or SHANHE_PORT\n`);
    holder.close();
  });
});
