/** All users, streamed: as lines of JSON, and as CSV that the import takes. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type AlibabaEhpcSimulator, startAlibabaEhpc } from '../../simulators/alibaba-ehpc/index.js';
import { type Backend, backendNamed, CLUSTER, EHPC_CLUSTER, ehpcAccount, type LiveBackend } from '../support/backends.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { pause, until } from '../support/wait.js';

const USERS = `/clusters/${CLUSTER}/users`;
const NDJSON = { accept: 'application/x-ndjson' };
const CSV = { accept: 'text/csv' };
const COLUMNS = 'op,username,role,group,uid,gid,createdAt';
const VENDORS: readonly Backend[] = [
  'alibaba-ehpc, acs3, sync listing',
  'alibaba-ehpc, acs3, async listing',
  'shanhe-hpc, gateway search',
  'shanhe-hpc, native search',
  'shanhe-hpc, no totals, 5000 for a taken name',
].map(backendNamed);

interface Line {
  readonly username?: string;
  readonly end?: { readonly total: number; readonly incomplete: unknown };
  readonly error?: { readonly code: string; readonly status: number };
}

describe.each(VENDORS.map((backend) => [backend.name, backend] as const))('%s', (_, backend) => {
  let live: LiveBackend;
  let gateway: TestGateway;
  beforeEach(async () => {
    live = await backend.start();
    gateway = await startGateway({ ...live.raw, server: { drainSeconds: 0 } });
  });
  afterEach(async () => {
    await gateway.stop();
    await live.close();
  });

  const linesOf = async (query = ''): Promise<readonly Line[]> => {
    const { status, headers, text } = await gateway.request('GET', `${USERS}${query}`, { headers: NDJSON });
    expect([status, headers.get('content-type')]).toEqual([200, 'application/x-ndjson; charset=utf-8']);
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
  };
  const namesOf = (lines: readonly Line[]) => lines.flatMap(({ username }) => username ?? []);

  it('has every user once, in the order of the list, and a last line that says so', async () => {
    const lines = await linesOf();
    expect(namesOf(lines)).toEqual(backend.seeded);
    expect(lines.at(-1)).toEqual({ end: { total: backend.seeded.length, incomplete: null } });
    const { body } = await gateway.get(`${USERS}?limit=1`);
    expect(lines[0]).toEqual(body.items[0]);
  });

  it('takes search, role, offset and names', async () => {
    const known = backend.seeded[7] as string;
    expect(namesOf(await linesOf(`?search=${known.slice(1).toUpperCase()}`))).toEqual([known]);
    expect(namesOf(await linesOf('?offset=100'))).toEqual(backend.seeded.slice(100));
    expect(namesOf(await linesOf(`?username=${known},nobody`))).toEqual([known]);
    const { body } = await gateway.get(`${USERS}?role=member&limit=1000`);
    const members = body.items.map(({ username }: { username: string }) => username);
    expect(namesOf(await linesOf('?role=member'))).toEqual(members);
    expect(namesOf(await linesOf('?role=member&offset=10'))).toEqual(members.slice(10));
  });

  it('is CSV in the columns of the import', async () => {
    const { status, headers, text } = await gateway.request('GET', USERS, { headers: CSV });
    expect([status, headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8']);
    const [head, first, ...rest] = text.trimEnd().split('\r\n');
    expect([head, first?.split(',').slice(0, 2), rest.length]).toEqual([
      COLUMNS,
      ['', backend.seeded[0]],
      backend.seeded.length - 1,
    ]);
  });

  it('refuses a window, and says what to do', async () => {
    for (const name of ['limit=10', 'cursor=x']) {
      const { status, body } = await gateway.request('GET', `${USERS}?${name}`, { headers: NDJSON });
      expect([status, body.errors]).toEqual([
        400,
        [expect.objectContaining({ message: expect.stringContaining('leave it out') })],
      ]);
    }
  });

  it('that cannot begin is a problem, as any other answer', async () => {
    const { status, body } = await gateway.request('GET', '/clusters/nothing/users', { headers: NDJSON });
    expect([status, body.code]).toEqual([404, 'cluster_not_found']);
  });
});

describe('a list that fails in the middle', () => {
  const MANY = 1_000;
  let ehpc: AlibabaEhpcSimulator;
  let gateway: TestGateway;
  const start = async (limits: object = {}): Promise<void> => {
    const users = Array.from({ length: MANY }, (_, index) => ({
      name: `user.${String(index).padStart(4, '0')}`,
      group: 'users' as const,
    }));
    ehpc = await startAlibabaEhpc({
      latencyMs: 100,
      clusters: [{ id: EHPC_CLUSTER, name: 'many', status: 'running', users }],
    });
    gateway = await startGateway({
      limits,
      accounts: { a: { ...ehpcAccount(ehpc), listing: 'sync' } },
      clusters: [{ id: CLUSTER, account: 'a', vendorClusterId: EHPC_CLUSTER }],
    });
  };
  afterEach(async () => {
    await gateway.stop();
    await ehpc.close();
  });

  /** Reads until the end, and has the vendor fail after the first part. */
  const readFailing = async (accept: string): Promise<string> => {
    const response = await fetch(`${gateway.url}${USERS}`, { headers: { accept } });
    let text = '';
    const decoder = new TextDecoder();
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
      if (text === '') ehpc.inject({ kind: 'http_status', status: 500, action: 'ListUsers', times: -1 });
      text += decoder.decode(part, { stream: true });
    }
    return text;
  };

  it('ends with a line of JSON that says why', async () => {
    await start();
    const lines = (await readFailing('application/x-ndjson')).trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(400);
    expect(lines.length).toBeLessThan(MANY);
    expect(JSON.parse(lines.at(-1) as string)).toMatchObject({ error: { code: 'vendor_unavailable', status: 503 } });
  });

  it('is not read on when its caller has left, even where nobody fits', async () => {
    await start();
    const leaving = new AbortController();
    const asking = fetch(`${gateway.url}${USERS}?role=owner`, { headers: NDJSON, signal: leaving.signal }).then((response) =>
      response.text(),
    );
    asking.catch(() => undefined);
    await until(() => ehpc.calls.length > 0);
    leaving.abort();
    await expect(asking).rejects.toThrow();
    await pause(300);
    const calls = ehpc.calls.length;
    await pause(1_000);
    expect(ehpc.calls.length).toBe(calls);
    expect(calls).toBeLessThan(MANY / 50);
  });

  it('is in the log with its failure', async () => {
    await start();
    await readFailing('application/x-ndjson');
    await until(() => gateway.logged().includes('"code":"vendor_unavailable"'));
  });

  it('is cut, as CSV', async () => {
    await start();
    await expect(readFailing('text/csv')).rejects.toThrow('terminated');
  });

  it('is refused before anything is sent where it says that it is too long', async () => {
    await start({ maxListUsers: 500 });
    const { status, body } = await gateway.request('GET', USERS, { headers: NDJSON });
    expect([status, body.code]).toEqual([502, 'vendor_bad_response']);
    expect(ehpc.calls.length).toBeLessThan(10);
  });
});
