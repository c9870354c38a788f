/** What a batch may ask for, as JSON and as CSV, and what a dry run foresees. */
import { describe, expect, it } from '@jest/globals';
import { EHPC_CLUSTER } from '../support/backends.js';
import { bothVendors } from '../support/both-vendors.js';
import type { TestAnswer } from '../support/gateway.js';

const stage = bothVendors();

const PASSWORD = 'Unrepeatable1@x';
const BATCH = '/clusters/ali/users/batch';
let fresh = 0;
const newName = (): string => `bat${String(++fresh).padStart(5, '0')}`;
const creating = (username = newName()) => ({ op: 'create', username, password: PASSWORD });
const updating = (username: string, change: object = { role: 'admin' }) => ({ op: 'update', username, ...change });
const deleting = (username: string) => ({ op: 'delete', username });

const postCsv = (raw: string | Uint8Array, query = '', type = 'text/csv'): Promise<TestAnswer> =>
  stage.gateway.request('POST', `${BATCH}${query}`, { raw, headers: { 'content-type': type } });
const effectsOn = (username: string): string[] =>
  [...stage.ehpc.journal, ...stage.shanhe.journal].filter((e) => e.username === username).map(({ effect }) => effect);
const effectsCount = (): number => stage.ehpc.journal.length + stage.shanhe.journal.length;
const statuses = ({ body }: TestAnswer): string[] => body.results.map(({ status }: { status: string }) => status);
const pointers = ({ body }: TestAnswer): string[] => body.errors.map(({ pointer }: { pointer: string }) => pointer);

describe('a batch that does not fit the document is refused as a whole', () => {
  const good = creating();
  it.each<[string, unknown, string]>([
    ['no items', { items: [] }, '/items'],
    ['too many', { items: Array.from({ length: 1001 }, () => good) }, '/items'],
    ['not even a list', {}, '/items'],
    ['an unknown op', { items: [good, { ...good, op: 'rename' }] }, '/items/1/op'],
    ['no op', { items: [good, { ...good, op: undefined }] }, '/items/1/op'],
    ['no op', { items: [good, { username: 'user.0001' }] }, '/items/1/op'],
    ['an item of another type', { items: [good, 'user.0001'] }, '/items/1'],
    ['an unknown member', { items: [{ ...good, uid: 3 }] }, '/items/0/uid'],
    ['an update of nothing', { items: [good, good, updating('user.0001', {})] }, '/items/2'],
    ['a delete with a password', { items: [good, { ...deleting('user.0001'), password: PASSWORD }] }, '/items/1/password'],
    ['no password', { items: [good, good, good, { op: 'create', username: 'user.0001' }] }, '/items/3/password'],
    ['no username', { items: [good, { op: 'delete' }] }, '/items/1/username'],
    ['a wrong role', { items: [good, updating('user.0001', { role: 'root' })] }, '/items/1/role'],
    ['a wrong mode', { items: [{ ...good, directoryMode: '999' }] }, '/items/0/directoryMode'],
    ['a flag of another type', { items: [good], dryRun: 'true' }, '/dryRun'],
    ['an unknown member of the whole', { items: [good], atomic: true }, '/atomic'],
  ])('%s', async (_, body, pointer) => {
    const [before, answer] = [effectsCount(), await stage.gateway.post(BATCH, body)];
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
    expect(pointers(answer)).toContain(pointer);
    expect(answer.text).not.toContain(PASSWORD);
    expect(effectsCount()).toBe(before);
  });

  it('is told at once where it has far too many items, whatever is in them', async () => {
    const { status, body } = await stage.gateway.post(BATCH, { items: Array.from({ length: 100_000 }, () => ({})) });
    expect([status, body.errors]).toEqual([400, [{ pointer: '/items', message: 'must have at most 1000 items' }]]);
    const lines = await stage.gateway.request('POST', BATCH, {
      raw: `username\n${'x\n'.repeat(200_000)}`,
      headers: { 'content-type': 'text/csv' },
    });
    expect([lines.status, lines.body.errors]).toEqual([400, [{ pointer: '/items', message: 'must have at most 1000 items' }]]);
  });

  it.each(['dryRun=maybe', 'dryRun=', 'dryRun=1', 'stopOnError=yes', 'dryRun=true&dryRun=true'])('?%s', async (query) => {
    const answer = await stage.gateway.post(`${BATCH}?${query}`, { items: [good] });
    expect([answer.status, pointers(answer)]).toEqual([400, [`/query/${query.split('=')[0]}`]]);
  });

  it('over 1 MiB', async () => {
    const items = Array.from({ length: 1000 }, () => ({ ...good, password: 'x'.repeat(1100) }));
    const csv = `username,password\n${items.map(({ username, password }) => `${username},${password}\n`).join('')}`;
    for (const answer of [await stage.gateway.post(BATCH, { items }), await postCsv(csv)])
      expect([answer.status, answer.body.code]).toEqual([413, 'payload_too_large']);
  });

  it('but a thousand items are no more than it takes', async () => {
    const items = Array.from({ length: 1000 }, (_, index) => creating(`thousand.${index}`));
    const { status, body } = await stage.gateway.post(BATCH, { items, dryRun: true });
    expect([status, body.summary.created, body.results[999].index]).toEqual([200, 1000, 999]);
  });
});

describe('an item that breaks a rule of the cluster', () => {
  it.each(['ali', 'shan'])('is refused with a pointer to it, and the others are done: %s', async (cluster) => {
    const [a, b] = [newName(), newName()];
    const items = [creating(a), creating('no name'), { ...creating(), password: 'short' }, creating(b)];
    const answer = await stage.gateway.post(`/clusters/${cluster}/users/batch`, { items });
    expect([answer.status, statuses(answer)]).toEqual([200, ['created', 'refused', 'refused', 'created']]);
    expect(answer.body.summary).toMatchObject({ created: 2, refused: 2, failed: 0 });
    const [, name, password] = answer.body.results;
    for (const [{ problem }, pointer] of [[name, '/items/1/username'] as const, [password, '/items/2/password'] as const])
      expect(problem).toMatchObject({ code: 'invalid_user', status: 422, errors: [{ pointer }] });
    expect([effectsOn(a), effectsOn(b), effectsOn('no name')]).toEqual([['created'], ['created'], []]);
    expect(answer.text).not.toContain(PASSWORD);
  });

  it('is one of a function that the vendor does not have, too', async () => {
    const answer = await stage.gateway.post('/clusters/shan/users/batch', { items: [updating('u0007'), creating()] });
    expect(answer.body.results).toMatchObject([{ status: 'refused', problem: { code: 'not_supported' } }, { status: 'created' }]);
  });
});

describe('a CSV', () => {
  it('says the same as the JSON: ops, empty fields, quotes, a byte order mark, lines that end in CR LF', async () => {
    const [made, promoted] = [newName(), newName()];
    const quoted = 'Quoted,Pass1';
    const lines = [
      'username,role,password,op',
      `${made},,"${quoted}",`,
      `${promoted},member,${PASSWORD},create`,
      '"user.0011",admin,,update',
      `user.0012,,${PASSWORD},update`,
      'user.0013,,,delete',
      `"say ""hi""",,${PASSWORD},`,
      '',
    ];
    const answer = await postCsv(`\ufeff${lines.join('\r\n')}`, '', 'text/csv; charset=UTF-8');
    expect([answer.status, statuses(answer)]).toEqual([200, ['created', 'created', 'updated', 'updated', 'deleted', 'refused']]);
    expect(answer.body.results[5]).toMatchObject({ username: 'say "hi"', op: 'create' });
    expect(stage.ehpc.checkPassword(EHPC_CLUSTER, made, quoted)).toBe(true);
    const effects = [made, promoted, 'user.0011', 'user.0012', 'user.0013'].map(effectsOn);
    expect(effects).toEqual([['created'], ['created'], ['role_changed'], ['password_changed'], ['deleted']]);
  });

  it('creates where it has no column op', async () => {
    const [a, b] = [newName(), newName()];
    const { body } = await postCsv(`password,username\n${PASSWORD},${a}\n${PASSWORD},${b}`);
    expect(body.results).toMatchObject([
      { index: 0, username: a, op: 'create', status: 'created' },
      { index: 1, username: b, op: 'create', status: 'created' },
    ]);
  });

  it('ends its lines as systems do, all in one file, and never inside quotes', async () => {
    const [a, b, c, d] = [newName(), newName(), newName(), newName()];
    const answer = await postCsv(
      `username,password\r\n${a},${PASSWORD}\n${b},${PASSWORD}\r${c},${PASSWORD}\r\n"${d}","${PASSWORD}"`,
    );
    expect([answer.status, statuses(answer)]).toEqual([200, ['created', 'created', 'created', 'created']]);
    for (const username of [a, b, c, d]) expect(stage.ehpc.checkPassword(EHPC_CLUSTER, username, PASSWORD)).toBe(true);
    const inside = await postCsv(`username,password\n${newName()},"${PASSWORD}\r\n"\n`);
    expect(inside.body.results).toMatchObject([{ status: 'refused' }]);
  });

  it.each([
    ['semicolons', ';', ''],
    ['tabs', '\t', ''],
    ['a line that says so', ';', 'sep=;\r\n'],
  ])('may have %s between its fields', async (_, delimiter, head) => {
    const name = newName();
    const rows = [
      ['username', 'password', 'role'],
      [name, `"${PASSWORD},;x"`, 'member'],
    ];
    const answer = await postCsv(`${head}${rows.map((row) => row.join(delimiter)).join('\r\n')}\r\n`);
    expect([answer.status, statuses(answer)]).toEqual([200, ['created']]);
    expect(stage.ehpc.checkPassword(EHPC_CLUSTER, name, `${PASSWORD},;x`)).toBe(true);
  });

  it('in the encoding of a spreadsheet says how to export it', async () => {
    const text = `username,password\nli.wei,${PASSWORD}\n`;
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);
    const gbk = Buffer.concat([
      Buffer.from('username,password,role\n'),
      Buffer.from([0xc0, 0xee, 0xce, 0xb0]),
      Buffer.from(`,${PASSWORD},\n`),
    ]);
    for (const [bytes, words] of [
      [utf16, 'is in UTF-16, not in UTF-8'],
      [gbk, 'is not valid UTF-8'],
    ] as const) {
      const { status, body } = await postCsv(bytes);
      expect([status, body.code]).toEqual([400, 'invalid_request']);
      expect(body.detail).toContain(words);
      expect(body.detail).toContain('CSV UTF-8 (Comma delimited)');
    }
  });

  it('names a column that it does not know, and the line of an item that does not fit', async () => {
    const mistyped = await postCsv(`username,pasword\nuser.one,${PASSWORD}\n`);
    expect(mistyped.body.detail).toBe(
      'The body names a column "pasword" in line 1, which is not known (did you mean password?); the columns are op, username, password, role, directoryMode, each at most once.',
    );
    const twice = await postCsv(`username,username,password\na,b,${PASSWORD}\n`);
    expect(twice.body.detail).toContain('names the column username twice in line 1');
    const wrong = await postCsv(
      `username,password,role\r\n${newName()},${PASSWORD},member\r\n\r\n${newName()},${PASSWORD},root\r\n`,
    );
    expect(wrong.body.errors).toEqual([{ pointer: '/items/1/role', message: 'must be one of member, admin, owner (line 4)' }]);
  });

  it.each([
    ['?dryRun=false', { dryRun: true }, 'dryRun'],
    ['?dryRun=true', { dryRun: false }, 'dryRun'],
    ['?stopOnError=false', { stopOnError: true }, 'stopOnError'],
  ])('%s contradicts the body %j', async (query, flags, name) => {
    const username = newName();
    const body = { items: [{ op: 'create', username, password: PASSWORD }], ...flags };
    const answer = await stage.gateway.post(`${BATCH}${query}`, body);
    expect([answer.status, pointers(answer)]).toEqual([400, [`/query/${name}`]]);
    expect(effectsOn(username)).toEqual([]);
  });

  it('either flag makes it dry, and what is neither true nor false says so', async () => {
    const username = newName();
    const items = [{ op: 'create', username, password: PASSWORD }];
    for (const [query, flags] of [
      ['?dryRun=true', {}],
      ['', { dryRun: true }],
      ['?dryRun=true', { dryRun: true }],
    ] as const) {
      const { body } = await stage.gateway.post(`${BATCH}${query}`, { items, ...flags });
      expect([body.dryRun, effectsOn(username)]).toEqual([true, []]);
    }
    for (const query of ['?dryRun=True', '?dryRun=1', '?dryRun', '?dryRun=']) {
      const answer = await stage.gateway.post(`${BATCH}${query}`, { items });
      expect([answer.status, answer.body.errors]).toEqual([
        400,
        [{ pointer: '/query/dryRun', message: 'must be true or false' }],
      ]);
    }
  });

  it('may be what was exported, with what is to be done in its first column', async () => {
    const path = '/clusters/ali/users?search=user.001';
    const { text } = await stage.gateway.request('GET', path, { headers: { accept: 'text/csv' } });
    expect(text).toMatch(/^op,username,role,group,uid,gid,createdAt\r\n,user/);
    const ensured = await postCsv(text.replaceAll('\r\n,', '\r\nensure,'), '?dryRun=true');
    expect(new Set(statuses(ensured))).toEqual(new Set(['unchanged']));
  });

  it('takes its flags from the query', async () => {
    const [a, b] = [newName(), newName()];
    const csv = `username,password\n${a},${PASSWORD}\nuser.0014,${PASSWORD}\n${b},${PASSWORD}\n`;
    const rehearsed = await postCsv(csv, '?dryRun=true&stopOnError=true');
    expect([rehearsed.body.dryRun, statuses(rehearsed)]).toEqual([true, ['created', 'already_exists', 'cancelled']]);
    expect([effectsOn(a), effectsOn(b)]).toEqual([[], []]);
    const ops = `op,username,password\ndelete,nobody.here,\ncreate,${b},${PASSWORD}\n`;
    const stopped = await postCsv(ops, '?stopOnError=true');
    expect([stopped.body.dryRun, statuses(stopped), effectsOn(b)]).toEqual([false, ['not_found', 'cancelled'], []]);
  });

  it.each([
    ['a quote that never ends', `username,password\nuser.one,"${PASSWORD}\n`, 'line 2'],
    ['a quote in the middle', `username,password\nuser.one,${PASSWORD}\nuser.two,a"${PASSWORD}\n`, 'line 3'],
    ['a field too many', `username,password\nuser.one,${PASSWORD},member\n`, 'line 2'],
    [
      'a quote that never ends, in lines of CRLF',
      `username,password\r\nuser.one,b\r\n"user.two,${PASSWORD}\r\nc,d\r\n`,
      'line 3',
    ],
    [
      'a field too many behind line ends in quotes',
      `username,password\r\n"a\r\n\r\nb",c\r\nuser.one,${PASSWORD},x\r\n`,
      'line 5',
    ],
    [
      'a quote that never ends, behind empty lines',
      `username,password\r\nuser.one,b\r\n\r\n\r\n"user.two,${PASSWORD}\r\nc,d\r\n`,
      'line 5',
    ],
    ['a field too few', `username,password,role\nuser.one,${PASSWORD},\nuser.two,${PASSWORD}\n`, 'line 3'],
  ])('that is broken is refused with its line, and not quoted: %s', async (_, csv, line) => {
    const { status, body, text } = await postCsv(csv);
    expect([status, body.code]).toEqual([400, 'invalid_request']);
    expect(body.detail).toContain(line);
    for (const content of [PASSWORD, 'user.one', 'user.two']) expect(text).not.toContain(content);
  });

  it.each([
    ['Username,Password', 'names a column "Username" in line 1, which is not known (did you mean username?)'],
    ['username,role,Sup3r@Secret#42', 'names a column 3 in line 1, which is not known; the columns are'],
    ['\r\n\n\nusername,pasword', 'names a column "pasword" in line 4, which is not known (did you mean password?)'],
  ])('names a column that is mistyped, and its line: %j', async (names, words) => {
    const { status, body } = await postCsv(`${names}\nuser.one,${PASSWORD}\n`);
    expect([status, body.detail]).toEqual([400, expect.stringContaining(words)]);
  });

  it.each([
    ['\n', 'is empty'],
    ['username,password', 'has one line only; curl keeps the lines of a file with --data-binary, not with -d'],
  ])('has too few lines: %j', async (csv, words) => {
    const { status, body } = await postCsv(csv);
    expect([status, body.detail]).toEqual([400, `The body ${words}.`]);
  });

  it('names the line of an item behind line ends in quotes', async () => {
    const { status, body } = await postCsv(`username,password\r\nuser.one,"a\r\nb"\r\nuser.two,\r\n`);
    expect([status, body.errors]).toMatchObject([
      400,
      [{ pointer: '/items/1/password', message: expect.stringContaining('(line 4)') }],
    ]);
  });

  it('in another encoding says how to export it', async () => {
    const text = `username,password\nuser.one,${PASSWORD}\n`;
    const plain = Buffer.from(text, 'utf16le');
    for (const answer of [
      await postCsv(plain),
      await postCsv(Buffer.from(`用户,${text}`, 'utf16le')),
      await postCsv(Buffer.from(plain).swap16()),
      await postCsv(text, '', 'text/csv; charset=gbk'),
    ])
      expect([[400, 415].includes(answer.status), answer.body.detail]).toEqual([true, expect.stringContaining('CSV UTF-8')]);
  });

  it('without its line of names is refused, and its passwords are not told', async () => {
    const { status, text } = await postCsv(`user.one,${PASSWORD}\nuser.two,${PASSWORD}9\n`);
    expect(status).toBe(400);
    expect(text).not.toContain(PASSWORD);
    expect(stage.gateway.logged()).not.toContain(PASSWORD);
  });

  it.each([
    ['an unknown column', `username,password,colour\nuser.one,${PASSWORD},red\n`, ''],
    ['a column twice', `username,username,password\nuser.one,user.two,${PASSWORD}\n`, ''],
    ['a column without a name', `username,password,\nuser.one,${PASSWORD},\n`, ''],
    ['a column like a prototype', `username,password,__proto__\nuser.one,${PASSWORD},x\n`, ''],
    ['no password', `username,password\nuser.one,${PASSWORD}\nuser.two,\n`, '/items/1/password'],
    ['a wrong op', `op,username\nrename,user.0001\n`, '/items/0/op'],
    ['an update of nothing', 'op,username,role\nupdate,user.0001,\n', '/items/0'],
    ['no items', 'username,password\n', ''],
    ['nothing but a line end', '\n', ''],
    ['not UTF-8', Buffer.from([0x75, 0xff, 0xfe]), ''],
  ])('is refused like the JSON: %s', async (_, csv, pointer) => {
    const answer = await postCsv(csv);
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
    expect(pointers(answer)).toContain(pointer);
    expect(answer.text).not.toContain(PASSWORD);
  });
});

describe('a dry run', () => {
  const rehearse = (items: object[], more: object = {}) => stage.gateway.post(BATCH, { items, dryRun: true, ...more });

  it('foresees what becomes of each item', async () => {
    const items = [
      creating(),
      creating('user.0021'),
      updating('user.0022'),
      updating('nobody.here'),
      deleting('user.0023'),
      deleting('nobody.here'),
      creating('-'),
    ];
    const answer = await rehearse(items);
    const foreseen = ['created', 'already_exists', 'updated', 'not_found', 'deleted', 'not_found', 'refused'];
    expect([answer.status, answer.body.operationId, statuses(answer)]).toEqual([200, null, foreseen]);
    expect(answer.body.results[6].problem.errors[0].pointer).toBe('/items/6/username');
    expect(statuses(await stage.gateway.post(BATCH, { items }))).toEqual(foreseen);
  });

  it('foresees that items follow each other', async () => {
    const name = newName();
    const items = [
      creating(name),
      creating(name),
      updating(name, { password: PASSWORD }),
      deleting(name),
      updating(name),
      creating(name),
    ];
    const foreseen = ['created', 'already_exists', 'updated', 'deleted', 'not_found', 'created'];
    expect(statuses(await rehearse(items))).toEqual(foreseen);
    expect(effectsOn(name)).toEqual([]);
    expect(statuses(await stage.gateway.post(BATCH, { items }))).toEqual(foreseen);
  });

  it('foresees where it stops', async () => {
    const items = [creating(), deleting('nobody.here'), creating(), deleting('user.0024')];
    expect(statuses(await rehearse(items, { stopOnError: true }))).toEqual(['created', 'not_found', 'cancelled', 'cancelled']);
    expect(statuses(await rehearse(items))).toEqual(['created', 'not_found', 'created', 'deleted']);
  });

  it.each([
    ['ali', 'user.0025'],
    ['shan', 'u0025'],
  ])('reads the cluster, writes nothing, and is no operation: %s', async (cluster, taken) => {
    stage.ehpc.resetCalls();
    stage.shanhe.resetCalls();
    const before = effectsCount();
    const items = [creating(), deleting(taken), updating(taken, { password: PASSWORD })];
    const answer = await stage.gateway.post(`/clusters/${cluster}/users/batch?dryRun=true`, { items });
    expect(statuses(answer)).toEqual(['created', 'deleted', 'not_found']);
    const calls = [...stage.ehpc.calls, ...stage.shanhe.calls];
    expect(calls.length).toBeGreaterThan(0);
    expect(calls.filter(({ method }) => method !== 'GET')).toEqual([]);
    expect(effectsCount()).toBe(before);
    expect((await stage.gateway.get('/operations')).body.items).toEqual([]);
  });
});

describe('a user whose name is batch', () => {
  it('is a user like any other', async () => {
    // Only POST has a path of its own here, so the document's path of the user is the one that counts.
    const ask = async (method: string) => {
      const response = await fetch(`${stage.gateway.url}/clusters/shan/users/batch`, { method });
      const text = await response.text();
      return [response.status, text === '' ? null : (JSON.parse(text).code ?? JSON.parse(text).username)];
    };
    expect(await ask('GET')).toEqual([404, 'user_not_found']);
    expect(await ask('DELETE')).toEqual([404, 'user_not_found']);
    expect((await stage.gateway.post('/clusters/shan/users', { username: 'batch', password: PASSWORD })).status).toBe(201);
    expect(await ask('GET')).toEqual([200, 'batch']);
    expect(await ask('DELETE')).toEqual([204, null]);
    expect(effectsOn('batch')).toEqual(['created', 'deleted']);
  });
});
