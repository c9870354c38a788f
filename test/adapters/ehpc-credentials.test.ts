/** E-HPC's credential chain: loaded lazily, asked once at a time, and loaded again after a failure. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createClient } from '../../adapters/alibaba-ehpc/client.js';
import type { EhpcConfig } from '../../adapters/alibaba-ehpc/config.js';
import { type Chain, createCredentials, type LoadChain, loadChain } from '../../adapters/alibaba-ehpc/credentials.js';
import { adapters } from '../../adapters/index.js';
import type { AdapterContext } from '../../src/adapter.js';
import { systemClock } from '../../src/clock.js';
import { checkConfig } from '../../src/config/load.js';
import { pause } from '../../src/deadline.js';
import { GatewayError } from '../../src/errors.js';
import { createHttpClient, type HttpRequest } from '../../src/vendor/client.js';
import { createVendorClock } from '../../src/vendor/clock.js';
import { EHPC_CLUSTER, startEhpc } from '../support/backends.js';
import { startGateway } from '../support/gateway.js';

const CONFIG: EhpcConfig = {
  region: 'cn-hangzhou',
  signature: 'acs3',
  listing: 'sync',
  timeZone: 'UTC',
  credentials: { provider: 'chain' },
};
const SECRET = 'chain-secret-0123456789';
const never = (): AbortSignal => new AbortController().signal;
const sleep: AdapterContext<EhpcConfig>['sleep'] = (ms, signal) => pause(ms, signal);
const sourceOf = (load: LoadChain, config = CONFIG, sleeping = sleep) => createCredentials({ config, sleep: sleeping }, load);

/** A chain whose answers are given one after the other; the last one stays. */
const fakeChain = (...answers: readonly unknown[]) => {
  const seen = { loads: 0, asks: 0 };
  const load: LoadChain = async () => {
    seen.loads++;
    return {
      getCredential: async () => {
        const answer = answers[Math.min(seen.asks++, answers.length - 1)];
        await new Promise(setImmediate);
        if (answer instanceof Error) throw answer;
        return answer;
      },
    };
  };
  return { seen, load };
};
const keys = (id: string, token?: string) => ({
  accessKeyId: id,
  accessKeySecret: SECRET,
  ...(token && { securityToken: token }),
});
const failureOf = async (work: Promise<unknown>): Promise<GatewayError> => {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof GatewayError)) throw new Error('It did not fail as it should.');
  return thrown;
};

describe('the chain', () => {
  it('is not loaded before it is needed, and once for many that ask at once', async () => {
    const { seen, load } = fakeChain(keys('one', 'token'));
    const source = sourceOf(load);
    expect(seen).toEqual({ loads: 0, asks: 0 });
    const all = await Promise.all(Array.from({ length: 100 }, () => source.current(never())));
    expect(seen).toEqual({ loads: 1, asks: 1 });
    const [first] = all;
    expect([first?.accessKeyId, first?.accessKeySecret.unwrap(), first?.securityToken?.unwrap()]).toEqual([
      'one',
      SECRET,
      'token',
    ]);
    expect(inspect(all, { depth: null }) + JSON.stringify(all)).not.toContain(SECRET);
  });

  it('renews its credentials: it is asked for each call, and not loaded again', async () => {
    const { seen, load } = fakeChain(keys('one'), keys('two', 'token'));
    const source = sourceOf(load);
    expect((await source.current(never())).accessKeyId).toBe('one');
    expect((await source.current(never())).accessKeyId).toBe('two');
    expect(seen).toEqual({ loads: 1, asks: 2 });
  });

  it('is loaded again after a failure', async () => {
    const { seen, load } = fakeChain(new Error(`no ${SECRET}`), keys('two'));
    const source = sourceOf(load);
    const failures = await Promise.all([1, 2, 3].map(() => failureOf(source.current(never()))));
    for (const failure of failures) {
      expect(failure).toMatchObject({ code: 'vendor_credentials_rejected', effect: 'none' });
      expect(failure.message).toContain('ALIBABA_CLOUD_ACCESS_KEY_ID');
      expect(inspect(failure, { depth: null, showHidden: true })).not.toContain(SECRET);
    }
    expect(seen).toEqual({ loads: 1, asks: 1 });
    expect((await source.current(never())).accessKeyId).toBe('two');
    expect(seen).toEqual({ loads: 2, asks: 2 });
  });

  it('is loaded again after the vendor has refused its key', async () => {
    const { seen, load } = fakeChain(keys('one'));
    const source = sourceOf(load);
    await source.current(never());
    source.reject();
    await source.current(never());
    expect(seen).toEqual({ loads: 2, asks: 2 });
  });

  it.each([
    ['nothing', undefined],
    ['no key', {}],
    ['half of a key', { accessKeyId: 'id' }],
    ['an empty key', { accessKeyId: '', accessKeySecret: '' }],
    ['a bearer token only', { bearerToken: SECRET, accessKeyId: null, accessKeySecret: null }],
  ])('that answers %s is a clear error', async (_, answer) => {
    const { load } = fakeChain(answer);
    const failure = await failureOf(sourceOf(load).current(never()));
    expect([failure.code, failure.message]).toEqual([
      'vendor_credentials_rejected',
      expect.stringContaining('found no credentials'),
    ]);
  });

  it.each([
    [
      'missing',
      Object.assign(new Error(`Cannot find package, ${SECRET}`), { code: 'ERR_MODULE_NOT_FOUND' }),
      'npm install @alicloud/credentials',
    ],
    ['damaged', new SyntaxError(SECRET), 'cannot be loaded'],
  ])('whose package is %s says what to do, and is tried again', async (_, thrown, words) => {
    let loads = 0;
    const source = sourceOf(async () => {
      loads++;
      throw thrown;
    });
    for (const _time of [1, 2]) {
      const failure = await failureOf(source.current(never()));
      expect(failure).toMatchObject({
        code: 'vendor_credentials_rejected',
        effect: 'none',
        message: expect.stringContaining(words),
      });
      expect(inspect(failure, { depth: null })).not.toContain(SECRET);
    }
    expect(loads).toBe(2);
  });

  it('that hangs is waited for as long as the call may take, and given up for the next one', async () => {
    let hangs = true;
    const chain: Chain = { getCredential: () => (hangs ? new Promise(() => undefined) : Promise.resolve(keys('one'))) };
    let giveUp = (): void => undefined;
    const patience = new Promise<void>((resolve) => {
      giveUp = resolve;
    });
    const source = sourceOf(
      async () => chain,
      CONFIG,
      (ms, signal) => (hangs ? patience : pause(ms, signal)),
    );
    const short = new AbortController();
    const waiting = failureOf(source.current(short.signal));
    const other = failureOf(source.current(never()));
    short.abort();
    expect((await waiting).code).toBe('vendor_timeout');
    giveUp();
    expect(await other).toMatchObject({
      code: 'vendor_credentials_rejected',
      message: expect.stringContaining('has not answered'),
    });
    hangs = false;
    expect((await source.current(never())).accessKeyId).toBe('one');
  });
});

describe('the client', () => {
  /** Answers by the id of the key that signed. */
  const clientOf = (load: LoadChain, refusedIds: readonly string[] = []) => {
    const sent: HttpRequest[] = [];
    const clock = createVendorClock(systemClock);
    const transport = async (request: HttpRequest) => {
      sent.push(request);
      const isRefused = refusedIds.some((id) => request.headers['authorization']?.includes(`Credential=${id},`));
      const body = isRefused ? { Code: 'InvalidSecurityToken.Expired' } : { Clusters: { ClusterInfoSimple: [] }, TotalCount: 0 };
      return { status: isRefused ? 403 : 200, headers: {}, body: JSON.stringify(body) };
    };
    const http = createHttpClient(transport, clock, systemClock);
    return { sent, client: createClient({ config: CONFIG, http, now: clock.now, sleep, nonce: () => 'n'.repeat(32) }, load) };
  };
  const call = { requestId: 'r', signal: never() };
  const page = { page: 1, size: 50 };

  it('signs with what the chain has, token included', async () => {
    const { sent, client } = clientOf(fakeChain(keys('chained', 'chain-token')).load);
    await client.listClusters(page, call);
    expect(sent[0]?.headers).toMatchObject({
      'x-acs-security-token': 'chain-token',
      authorization: expect.stringContaining('Credential=chained,'),
    });
  });

  it('asks a new chain after the vendor has refused a key', async () => {
    const { seen, load } = fakeChain(keys('expired'), keys('fresh'));
    const { client } = clientOf(load, ['expired']);
    expect((await failureOf(client.listClusters(page, call))).code).toBe('vendor_credentials_rejected');
    expect((await client.listClusters(page, call)).rows).toEqual([]);
    expect(seen.loads).toBe(2);
  });

  it('sends nothing without credentials, and says so', async () => {
    const { sent, client } = clientOf(fakeChain(new Error('none')).load);
    expect(await failureOf(client.addUsers('c', [{ Name: 'a' }], call))).toMatchObject({
      code: 'vendor_credentials_rejected',
      effect: 'none',
    });
    expect(sent).toEqual([]);
  });
});

describe('the configuration', () => {
  const problemsOf = (credentials: object): readonly string[] => {
    const raw = { accounts: { a: { vendor: 'alibaba-ehpc', region: 'cn-hangzhou', credentials } } };
    try {
      checkConfig(raw, adapters, {});
      return [];
    } catch (error) {
      return (error as { problems: readonly string[] }).problems;
    }
  };

  it.each<[object, readonly string[]]>([
    [{ provider: 'chain' }, []],
    [{ accessKeyId: 'id', accessKeySecret: 'x' }, []],
    [{}, ['accounts.a.credentials.accessKeyId: is missing', 'accounts.a.credentials.accessKeySecret: is missing']],
    [{ accessKeyId: 'id' }, ['accounts.a.credentials.accessKeySecret: is missing']],
    [{ provider: 'file' }, ['accounts.a.credentials.provider: must be one of chain']],
    [
      { provider: 'chain', accessKeyId: 'id' },
      ['accounts.a.credentials.accessKeyId: cannot be used together with the other keys here'],
    ],
  ])('%j', (credentials, problems) => {
    expect(problemsOf(credentials)).toEqual(problems);
  });
});

/** Its environment: only what the test gives, so that nothing beyond this machine is asked. */
describe('the package itself', () => {
  const NAMES = [
    ...['ALIBABA_CLOUD_ACCESS_KEY_ID', 'ALIBABA_CLOUD_ACCESS_KEY_SECRET', 'ALIBABA_CLOUD_SECURITY_TOKEN'],
    ...['ALIBABA_CLOUD_CREDENTIALS_FILE', 'ALIBABA_CLOUD_ECS_METADATA_DISABLED', 'ALIBABA_CLOUD_CLI_PROFILE_DISABLED'],
    ...['ALIBABA_CLOUD_CREDENTIALS_URI', 'ALIBABA_CLOUD_ROLE_ARN', 'ALIBABA_CLOUD_PROFILE'],
  ];
  const before = new Map(NAMES.map((name) => [name, process.env[name]]));
  const set = (values: Readonly<Record<string, string>>): void => {
    for (const name of NAMES) delete process.env[name];
    Object.assign(process.env, {
      ALIBABA_CLOUD_ECS_METADATA_DISABLED: 'true',
      ALIBABA_CLOUD_CLI_PROFILE_DISABLED: 'true',
      ...values,
    });
  };
  const folder = mkdtempSync(join(tmpdir(), 'chain-'));
  afterEach(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  it('gives the keys of its environment, with which the gateway serves', async () => {
    const simulator = await startEhpc({ securityToken: 'token/+=x' });
    set({
      ALIBABA_CLOUD_ACCESS_KEY_ID: simulator.accessKeyId,
      ALIBABA_CLOUD_ACCESS_KEY_SECRET: simulator.accessKeySecret,
      ALIBABA_CLOUD_SECURITY_TOKEN: 'token/+=x',
    });
    const { region, endpoint } = simulator;
    const gateway = await startGateway({
      accounts: { a: { vendor: 'alibaba-ehpc', region, endpoint, credentials: { provider: 'chain' } } },
      clusters: [{ id: 'c', account: 'a', vendorClusterId: EHPC_CLUSTER }],
    });
    try {
      const { status, body } = await gateway.get('/clusters/c/users?limit=3');
      expect([status, body.items.length]).toEqual([200, 3]);
    } finally {
      await gateway.stop();
      await simulator.close();
    }
  });

  it('gives the keys of its file', async () => {
    const path = join(folder, 'credentials');
    writeFileSync(path, `[default]\ntype = access_key\naccess_key_id = from-file\naccess_key_secret = ${SECRET}\n`);
    set({ ALIBABA_CLOUD_CREDENTIALS_FILE: path });
    const { accessKeyId, accessKeySecret } = await sourceOf(loadChain).current(never());
    expect([accessKeyId, accessKeySecret.unwrap()]).toEqual(['from-file', SECRET]);
    rmSync(folder, { recursive: true });
  });

  it('without any is a clear error, which names the account', async () => {
    set({ ALIBABA_CLOUD_CREDENTIALS_FILE: join(folder, 'missing') });
    const gateway = await startGateway({
      accounts: {
        mine: {
          vendor: 'alibaba-ehpc',
          region: 'cn-hangzhou',
          endpoint: 'http://127.0.0.1:1',
          credentials: { provider: 'chain' },
        },
      },
      clusters: [{ id: 'c', account: 'mine', vendorClusterId: EHPC_CLUSTER }],
    });
    try {
      const { status, body } = await gateway.get('/clusters/c/users');
      expect([status, body.code]).toEqual([502, 'vendor_credentials_rejected']);
      expect(body.detail).toMatch(/found no credentials.*account mine/);
    } finally {
      await gateway.stop();
    }
  });
});
