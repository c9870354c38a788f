/** Every operation of the document on every cluster, with a fresh password wherever one is taken. */
import type { Answer } from './recorder.js';
import { randomText } from './secrets.js';
import { CLUSTERS, type Stage } from './stage.js';

export interface Tour {
  /** Reads and writes on all clusters, side by side. */
  round(): Promise<void>;
  /** A write with this password on each cluster. */
  createWith(password: string): Promise<void>;
  /** A write that is accepted, and perhaps not answered. @returns its password */
  begin(cluster: (typeof CLUSTERS)[number]): Promise<{ readonly path: string | undefined; readonly password: string }>;
  /** Requests that are wrong in ways in which callers are wrong, with secrets where these belong and nearby. */
  mistakes(): Promise<void>;
}

type Cluster = (typeof CLUSTERS)[number];
const vendorOf = (cluster: Cluster): 'ehpc' | 'shanhe' => (cluster.startsWith('ali') ? 'ehpc' : 'shanhe');
/** Fits the rules of both vendors as far as they go together. */
const SEEDED: Readonly<Record<Cluster, string>> = { ali: 'user.0003', 'ali-rpc': 'user.0003', shan: 'u3', 'shan-px': 'u3' };
const JSON_TYPE = { 'content-type': 'application/json' };

export const createTour = (stage: Stage, token: string): Tour => {
  const { canaries, caller, recorder } = stage;
  const { send } = recorder;
  let made = 0;
  const nameFor = (cluster: Cluster): string => {
    const number = String(++made).padStart(5, '0');
    return vendorOf(cluster) === 'ehpc' ? `fresh.${number}` : `f${number}`;
  };
  const password = (cluster: Cluster, use: string): string => canaries.password(vendorOf(cluster), use);
  const logins = [caller.headers, { 'x-api-key': caller.key }, { authorization: `Bearer ${token}` }];
  const login = (): Readonly<Record<string, string>> => logins[made++ % logins.length] as Record<string, string>;
  const idempotency = (): Record<string, string> => ({
    'idempotency-key': canaries.watch(`idempotency key ${++made}`, randomText(24)),
  });
  const get = (path: string, headers = login()): Promise<Answer | undefined> => send('GET', path, { headers });
  const write = (method: string, path: string, body?: object, headers: object = {}): Promise<Answer | undefined> =>
    send(method, path, {
      headers: { ...login(), ...(body && JSON_TYPE), ...headers },
      ...(body && { body: JSON.stringify(body) }),
    });
  const async_ = { prefer: 'respond-async' };

  const reads = async (cluster: Cluster): Promise<void> => {
    const users = `/clusters/${cluster}/users`;
    // A cursor is good for its caller alone.
    const own = login();
    const [window] = await Promise.all([
      get(`${users}?limit=5&include=vendor`, own),
      get(`/clusters/${cluster}`),
      get(`${users}/${SEEDED[cluster]}?include=vendor`),
      get(`${users}?search=fresh&role=member`),
      get(`${users}?username=${SEEDED[cluster]},nobody.here`),
    ]);
    const cursor: unknown = window?.body?.nextCursor;
    if (typeof cursor === 'string') await get(`${users}?limit=5&include=vendor&cursor=${cursor}`, own);
  };

  const creates = async (cluster: Cluster): Promise<void> => {
    const users = `/clusters/${cluster}/users`;
    const name = nameFor(cluster);
    const key = idempotency();
    const body = { username: name, password: password(cluster, 'create') };
    await write('POST', users, body, key);
    await write('POST', users, body, key);
    await Promise.all([
      write('POST', users, { ...body, password: password(cluster, 'reused key') }, key),
      write('PUT', `${users}/${name}/password`, { password: password(cluster, 'set password') }, idempotency()),
    ]);
    await write('DELETE', `${users}/${name}`);
  };

  const ensures = async (cluster: Cluster): Promise<void> => {
    const users = `/clusters/${cluster}/users`;
    const name = nameFor(cluster);
    await write('PUT', `${users}/${name}`, { role: 'member', password: password(cluster, 'ensure') });
    await Promise.all([
      write('PATCH', `${users}/${name}`, { role: 'admin' }),
      write('PUT', `${users}/${name}`, { password: password(cluster, 'ensure again') }, { 'if-match': '"x"' }),
      write('POST', `${users}?dryRun=true`, { username: nameFor(cluster), password: password(cluster, 'dry run') }),
    ]);
  };

  const batches = async (cluster: Cluster): Promise<void> => {
    const batch = `/clusters/${cluster}/users/batch`;
    const items = [
      { op: 'create', username: nameFor(cluster), password: password(cluster, 'batch') },
      { op: 'ensure', username: nameFor(cluster), password: password(cluster, 'batch ensure') },
      { op: 'update', username: SEEDED[cluster], password: password(cluster, 'batch update') },
      { op: 'create', username: 'no name', password: password(cluster, 'batch refused') },
      { op: 'delete', username: nameFor(cluster) },
    ];
    const answer = await write('POST', batch, { items });
    if (answer?.body?.operationId) await get(`/operations/${answer.body.operationId}`);
    const started = await write('POST', `/clusters/${cluster}/operations`, {
      items: [{ op: 'create', username: nameFor(cluster), password: password(cluster, 'started') }],
    });
    if (started?.headers.location) await send('GET', started.headers.location, { headers: { ...login(), prefer: 'wait=10' } });
    const lines = [1, 2].map(() => `create,${nameFor(cluster)},"${password(cluster, 'CSV').replaceAll('"', '""')}"`);
    const accepted = await send('POST', batch, {
      headers: { ...login(), ...async_, 'content-type': 'text/csv' },
      body: `op,username,password\n${lines.join('\n')}\n`,
    });
    const { location } = accepted?.headers ?? {};
    if (!location) return;
    await write('POST', `${location}/cancel`);
    await send('GET', location, { headers: { ...login(), prefer: 'wait=1' } });
  };

  const service = async (): Promise<void> => {
    const paths = [
      '/accounts',
      '/accounts/jinan',
      '/metrics',
      '/vendors',
      '/clusters',
      '/operations?limit=50',
      '/audit?limit=100',
      '/audit?type=settled',
      '/users/user.0003',
    ];
    await Promise.all([...paths, '/users/u3'].map((path) => get(path)));
    const documents = ['/openapi.json', '/openapi.yaml', '/openapi-3.0.json', '/docs', '/docs/', '/problems/invalid_user'];
    const open = ['/healthz', '/readyz', ...documents, '/', '/nothing/here'];
    await Promise.all(open.map((path) => send('GET', path)));
  };

  const mistakes = async (cluster: Cluster): Promise<void> => {
    const users = `/clusters/${cluster}/users`;
    const username = nameFor(cluster);
    const secret = (use: string): string => password(cluster, use);
    const bodies: readonly (readonly [string, string, string | Buffer])[] = [
      ['POST', users, `{"username":"${username}","password":"${secret('cut JSON')}`],
      ['POST', users, `{"username":"${username}","password":"${secret('cut JSON')}" oops }`],
      ['POST', users, JSON.stringify({ username, password: [secret('array')] })],
      ['POST', users, JSON.stringify({ username, password: { is: secret('object') } })],
      ['POST', users, JSON.stringify({ username, password: `${secret('too long')}${'x'.repeat(60)}` })],
      ['POST', users, JSON.stringify({ username, password: `${secret('line end')}\n` })],
      ['POST', users, JSON.stringify({ username, passwort: secret('misspelt') })],
      ['POST', users, JSON.stringify({ username, password: secret('bad role'), role: secret('as a role') })],
      ['POST', users, JSON.stringify({ username, password: secret('bad mode'), directoryMode: secret('as a mode') })],
      ['POST', users, Buffer.from(JSON.stringify({ username, password: secret('UTF-16') }), 'utf16le')],
      ['PUT', `${users}/${username}/password`, JSON.stringify(secret('a text alone'))],
      ['PATCH', `${users}/${username}`, JSON.stringify({ password: secret('PATCH') })],
      ['PUT', `${users}/${username}`, JSON.stringify({ password: secret('bad role of an ensure'), role: 'king' })],
      [
        'POST',
        `${users}/batch`,
        JSON.stringify({ items: [{ op: 'create', username, password: secret('stray member'), x: secret('x') }] }),
      ],
      ['POST', `${users}/batch`, JSON.stringify({ items: [{ op: secret('as an op'), username, password: secret('bad op') }] })],
    ];
    for (const [method, path, body] of bodies) await send(method, path, { headers: { ...login(), ...JSON_TYPE }, body });
    const csvs = [
      `${username},${secret('no names')}\n${username}x,${secret('no names')}\n`,
      `username,password\n${username},"${secret('open quote')}\n`,
      `username,password\n${username},${secret('extra field')},${secret('extra field')}\n`,
      `username,password\n${username},"${secret('after a quote')}"x\n`,
      `username,password,role\n${username},${secret('CSV role')},${secret('as a role')}\n`,
      `username,password\n${username},a"${secret('inner quote')}\n`,
      `username,${secret('as a column')}\n${username},x\n`,
    ];
    for (const body of csvs) await send('POST', `${users}/batch`, { headers: { ...login(), 'content-type': 'text/csv' }, body });
    const body = JSON.stringify({ username, password: secret('wrong type') });
    const typed: readonly Record<string, string>[] = [
      { 'content-type': 'text/plain' },
      { 'content-type': 'application/json; charset=latin1' },
      { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      { 'content-type': 'application/json', 'content-encoding': 'zstd' },
    ];
    for (const headers of typed) await send('POST', users, { headers: { ...login(), ...headers }, body });
    await send('POST', users, { headers: { ...login(), ...JSON_TYPE }, body: body + ' '.repeat(1_100_000) });
    await send('POST', users, { headers: { ...login(), ...JSON_TYPE, ...idempotency(), 'if-none-match': 'x' }, body });
    await send('POST', users, { headers: { ...login(), ...JSON_TYPE, 'idempotency-key': `"${randomText(9)}"x"` }, body });
    await get(`${users}?password=${encodeURIComponent(secret('in the query'))}`);
    await get(`${users}?cursor=${encodeURIComponent(secret('as a cursor'))}`);
    await get(`${users}?limit=${encodeURIComponent(secret('as a limit'))}`);
  };

  const strangers = async (): Promise<void> => {
    const { watch } = canaries;
    const [kind, bearer] = ['application/json', 'Bearer '];
    const unknown = `hpcgw_${watch('unknown API key', randomText(43))}`;
    const { issuer } = stage;
    const signatureOf = (jwt: string, use: string): string => {
      watch(`token (${use} ${++made})`, jwt.split('.')[2] as string);
      return jwt;
    };
    const tokens = [
      signatureOf(await issuer.sign({ exp: 1_000 }), 'expired'),
      signatureOf(await issuer.sign({ aud: 'somebody' }), 'audience'),
      signatureOf(await issuer.sign({ iss: 'https://nobody.example.org/' }), 'issuer'),
      signatureOf(await issuer.sign({}, { header: { kid: 'another' } }), 'key'),
      `${token.slice(0, -6)}AAAAAA`,
      watch('text in place of a token', randomText(30)),
    ];
    const body = JSON.stringify({ username: 'stranger', password: password('shan', 'of a stranger') });
    const headers: readonly Record<string, string>[] = [
      {},
      { authorization: `${bearer}${unknown}` },
      { 'x-api-key': unknown },
      { ...caller.headers, 'x-api-key': unknown },
      { authorization: `Basic ${Buffer.from(`portal:${watch('password of Basic', randomText(20))}`).toString('base64')}` },
      { authorization: `${bearer}${caller.key} more` },
      { authorization: caller.key },
      { ...caller.headers, host: 'evil.example.org' },
      { ...caller.headers, origin: 'https://evil.example.org' },
      ...tokens.map((text) => ({ authorization: `${bearer}${text}` })),
    ];
    for (const each of headers) await send('POST', '/clusters/shan/users', { headers: { 'content-type': kind, ...each }, body });
    await send('TRACE', '/clusters/shan/users', { headers: caller.headers });
    await send('PROPFIND', '/clusters/shan/users', { headers: caller.headers });
  };

  return {
    round: async () => {
      const work = CLUSTERS.map((cluster) => Promise.all([creates(cluster), ensures(cluster), batches(cluster), reads(cluster)]));
      await Promise.all([...work, service()]);
      // Lists after writes, which the vendor may fill with what it was sent.
      await Promise.all([...CLUSTERS.map(reads), get('/operations?limit=20'), get('/clusters')]);
    },
    createWith: async (text) => {
      const create = (cluster: Cluster) =>
        write('POST', `/clusters/${cluster}/users`, { username: nameFor(cluster), password: text });
      await Promise.all(CLUSTERS.map(create));
    },
    begin: async (cluster) => {
      const text = password(cluster, 'begun');
      // A batch is patient with a vendor that is busy.
      const items = [{ op: 'create', username: nameFor(cluster), password: text }];
      const answer = await write('POST', `/clusters/${cluster}/users/batch`, { items }, async_);
      return { path: answer?.headers.location, password: text };
    },
    mistakes: async () => {
      await Promise.all([mistakes('ali'), mistakes('shan'), strangers()]);
    },
  };
};
