/** Making a user exist, however often it is asked for; dry runs of single writes. */
import { describe, expect, it } from '@jest/globals';
import { EHPC_CLUSTER } from '../support/backends.js';
import { bothVendors } from '../support/both-vendors.js';
import type { TestAnswer } from '../support/gateway.js';
import { pause, until } from '../support/wait.js';

const stage = bothVendors();
const PASSWORD = 'Choose@Your0wn';
let fresh = 0;
const newName = (): string => `ens${String(++fresh).padStart(5, '0')}`;
const effectsOn = (username: string): string[] =>
  [...stage.ehpc.journal, ...stage.shanhe.journal].filter((e) => e.username === username).map(({ effect }) => effect);
const statuses = ({ body }: TestAnswer): string[] => body.results.map(({ status }: { status: string }) => status);
const put = (cluster: string, username: string, body: object, query = ''): Promise<TestAnswer> =>
  stage.gateway.request('PUT', `/clusters/${cluster}/users/${username}${query}`, { body });

describe.each(['ali', 'shan'])('a user who is to be there on %s', (cluster) => {
  it('is created once, and stays as they are when it is asked for again', async () => {
    const username = newName();
    const first = await put(cluster, username, { password: PASSWORD });
    expect([first.status, first.body.username, first.body.role]).toEqual([201, username, 'member']);
    expect(first.headers.get('location')).toBe(`/clusters/${cluster}/users/${username}`);
    const again = await put(cluster, username, { role: 'member', password: 'Another@Pass1' });
    expect([again.status, again.body.username, again.headers.get('etag')]).toEqual([200, username, first.headers.get('etag')]);
    expect(effectsOn(username)).toEqual(['created']);
  });

  it('needs a password to be created, and only then', async () => {
    const username = newName();
    const without = await put(cluster, username, { role: 'member' });
    expect([without.status, without.body.errors]).toMatchObject([422, [{ pointer: '/password' }]]);
    await put(cluster, username, { password: PASSWORD });
    expect((await put(cluster, username, {})).status).toBe(200);
    expect(effectsOn(username)).toEqual(['created']);
  });

  it('is checked by the rules of the cluster', async () => {
    const bad = await put(cluster, newName(), { password: 'short' });
    expect([bad.status, bad.body.errors[0].pointer]).toEqual([422, '/password']);
    expect((await put(cluster, newName(), { password: PASSWORD, colour: 'red' })).status).toBe(400);
  });

  it('in a batch: a second import of the same file sends nothing', async () => {
    const names = [newName(), newName(), newName()];
    const items = names.map((username) => ({ op: 'ensure', username, role: 'member', password: PASSWORD }));
    const path = `/clusters/${cluster}/users/batch`;
    expect(statuses(await stage.gateway.post(path, { items }))).toEqual(['created', 'created', 'created']);
    stage.ehpc.resetCalls();
    stage.shanhe.resetCalls();
    const again = await stage.gateway.post(path, { items });
    expect([statuses(again), again.body.summary.unchanged]).toEqual([['unchanged', 'unchanged', 'unchanged'], 3]);
    const writes = [...stage.ehpc.calls, ...stage.shanhe.calls].filter(({ method }) => method !== 'GET');
    expect(writes).toEqual([]);
    const operation = (await stage.gateway.get(`/operations/${again.body.operationId}`)).body;
    expect([operation.state, operation.done]).toEqual(['succeeded', true]);
  });

  it('in a batch, in view of the items before', async () => {
    const [a, b] = [newName(), newName()];
    const items = [
      { op: 'ensure', username: a, password: PASSWORD },
      { op: 'ensure', username: a },
      { op: 'delete', username: a },
      { op: 'ensure', username: a, password: PASSWORD },
      { op: 'ensure', username: b },
    ];
    const path = `/clusters/${cluster}/users/batch`;
    const foreseen = await stage.gateway.post(`${path}?dryRun=true`, { items });
    const expected = ['created', 'unchanged', 'deleted', 'created', 'refused'];
    expect([statuses(foreseen), effectsOn(a)]).toEqual([expected, []]);
    const done = await stage.gateway.post(path, { items });
    expect([statuses(done), effectsOn(a)]).toEqual([expected, ['created', 'deleted', 'created']]);
    expect(done.body.results[4].problem.errors).toMatchObject([{ pointer: '/items/4/password' }]);
  });

  it('is planned when the writes to them that were accepted before have ended', async () => {
    const username = newName();
    await put(cluster, username, { password: PASSWORD });
    const user = `/clusters/${cluster}/users/${username}`;
    const [simulator, action] =
      cluster === 'ali' ? ([stage.ehpc, 'DeleteUsers'] as const) : ([stage.shanhe, '/user/deleteUser'] as const);
    simulator.inject({ kind: 'delay', action, delayMs: 500 });
    const removal = await stage.gateway.request('DELETE', user, { headers: { prefer: 'respond-async' } });
    const again = await put(cluster, username, { password: PASSWORD });
    expect([removal.status, again.status, (await stage.gateway.get(user)).status]).toEqual([202, 201, 200]);
    expect(effectsOn(username)).toEqual(['created', 'deleted', 'created']);
    const other = newName();
    const headers = { prefer: 'respond-async' };
    const body = { username: other, password: PASSWORD };
    const creation = await stage.gateway.request('POST', `/clusters/${cluster}/users`, { body, headers });
    expect(creation.status).toBe(202);
    expect((await put(cluster, other, {})).status).toBe(200);
  });

  it('in two batches at once is created by one of them', async () => {
    const names = Array.from({ length: 12 }, newName);
    const items = names.map((username) => ({ op: 'ensure', username, password: PASSWORD }));
    const batches = [items, [...items].reverse()].map((each) =>
      stage.gateway.post(`/clusters/${cluster}/users/batch`, { items: each }),
    );
    const summaries = (await Promise.all(batches)).map(({ body }) => body.summary);
    const sum = (status: string) => summaries.reduce((all, summary) => all + summary[status], 0);
    expect([sum('created'), sum('unchanged')]).toEqual([12, 12]);
  });

  it('is read again where the vendor fails for a moment, and is not changed where it goes on failing', async () => {
    const username = newName();
    const [simulator, action] = cluster === 'ali' ? ([stage.ehpc, 'ListUsers'] as const) : ([stage.shanhe, '/user'] as const);
    simulator.inject({ kind: 'http_status', status: 502, action, times: 4 });
    expect((await put(cluster, username, { password: PASSWORD })).status).toBe(201);
    simulator.inject({ kind: 'http_status', status: 502, action, times: -1 });
    const { status, body } = await put(cluster, newName(), { password: PASSWORD });
    simulator.clearFaults();
    expect([status, body.code, body.retryable]).toEqual([503, 'vendor_unavailable', true]);
    expect(body.detail).toContain('Nothing was changed.');
  }, 30_000);

  it('in a batch, twice: the second item follows what became of the first', async () => {
    const bad = 'bad name!!';
    const items = [
      { op: 'ensure', username: bad, password: PASSWORD },
      { op: 'ensure', username: bad },
    ];
    const path = `/clusters/${cluster}/users/batch`;
    expect(statuses(await stage.gateway.post(path, { items }))).toEqual(['refused', 'refused']);
    expect(statuses(await stage.gateway.post(`${path}?dryRun=true`, { items }))).toEqual(['refused', 'refused']);
    const username = newName();
    const [simulator, action] =
      cluster === 'ali' ? ([stage.ehpc, 'AddUsers'] as const) : ([stage.shanhe, '/user/addUser'] as const);
    simulator.inject({ kind: 'vendor_error', code: cluster === 'ali' ? 'InvalidParams' : '1100', action });
    const twice = [
      { op: 'ensure', username, password: PASSWORD },
      { op: 'ensure', username },
    ];
    expect(statuses(await stage.gateway.post(path, { items: twice }))).toEqual(['refused', 'refused']);
    simulator.clearFaults();
  });

  it('in a batch that an error stops, nothing behind the error is reported as done', async () => {
    const [there, fresh] = [newName(), newName()];
    await put(cluster, there, { password: PASSWORD });
    const ensure = (username: string) => ({ op: 'ensure', username, password: PASSWORD });
    const items = [ensure(there), ensure(fresh), ensure(there), { op: 'delete', username: newName() }, ensure(there)];
    const path = `/clusters/${cluster}/users/batch?stopOnError=true`;
    const expected = ['unchanged', 'created', 'unchanged', 'not_found', 'cancelled'];
    expect(statuses(await stage.gateway.post(`${path}&dryRun=true`, { items }))).toEqual(expected);
    expect(statuses(await stage.gateway.post(path, { items }))).toEqual(expected);
  });

  it('is made only as If-Match and If-None-Match say', async () => {
    const username = newName();
    const user = `/clusters/${cluster}/users/${username}`;
    const ask = async (headers: Record<string, string>) => {
      const { status, body } = await stage.gateway.request('PUT', user, { body: { password: PASSWORD }, headers });
      return [status, body.code];
    };
    expect(await ask({ 'if-match': '*' })).toEqual([412, 'precondition_failed']);
    expect(await ask({ 'if-none-match': '"x"' })).toEqual([400, 'invalid_request']);
    expect(await ask({ 'if-none-match': '*' })).toEqual([201, undefined]);
    expect(await ask({ 'if-none-match': '*' })).toEqual([412, 'precondition_failed']);
    expect(await ask({ 'if-match': '"other"' })).toEqual([412, 'precondition_failed']);
    const { headers } = await stage.gateway.get(user);
    stage.ehpc.resetCalls();
    await ask({});
    const readings = stage.ehpc.calls.length;
    stage.ehpc.resetCalls();
    expect(await ask({ 'if-match': headers.get('etag') as string })).toEqual([200, undefined]);
    // One reading shows both: nobody can come between.
    expect(stage.ehpc.calls).toHaveLength(readings);
    expect(effectsOn(username)).toEqual(['created']);
  });

  it('is not taken for the same as a request without If-None-Match, nor joins it', async () => {
    const username = newName();
    const user = `/clusters/${cluster}/users/${username}`;
    const [simulator, action] =
      cluster === 'ali' ? ([stage.ehpc, 'AddUsers'] as const) : ([stage.shanhe, '/user/addUser'] as const);
    simulator.inject({ kind: 'delay', action, delayMs: 800 });
    const body = { password: PASSWORD };
    const key = { 'idempotency-key': `"ensure ${username}"` };
    const plain = stage.gateway.request('PUT', user, { body, headers: key });
    await until(() => simulator.calls.some((call) => call.action === action));
    const conditional = await stage.gateway.request('PUT', user, { body, headers: { 'if-none-match': '*' } });
    const keyed = await stage.gateway.request('PUT', user, { body, headers: { ...key, 'if-none-match': '*' } });
    expect([(await plain).status, conditional.status, keyed.status, keyed.body.code]).toEqual([
      201,
      412,
      422,
      'idempotency_key_reused',
    ]);
    simulator.clearFaults();
  });

  it('is created where a row of the list names nobody, and the others of the batch with them', async () => {
    const [single, other, third] = [newName(), newName(), newName()];
    const [simulator, action] = cluster === 'ali' ? ([stage.ehpc, undefined] as const) : ([stage.shanhe, '/user'] as const);
    simulator.inject({ kind: 'wrong_shape', shape: 'row_unnamed', times: -1, action: action ?? 'ListUsers' });
    const path = `/clusters/${cluster}/users/batch`;
    const items = [
      { op: 'ensure', username: other, password: PASSWORD },
      { op: 'ensure', username: newName() },
      { op: 'create', username: third, password: PASSWORD },
    ];
    const foreseen = await stage.gateway.post(`${path}?dryRun=true`, { items });
    const done = await stage.gateway.post(path, { items });
    const alone = await put(cluster, single, { password: PASSWORD });
    simulator.clearFaults();
    expect([statuses(foreseen), statuses(done)]).toEqual([
      ['unknown', 'unknown', 'unknown'],
      ['created', 'failed', 'created'],
    ]);
    expect(alone.status).toBe(201);
  });

  it('a dry run of a single write says what would become of the user, and writes nothing', async () => {
    const username = newName();
    const path = `/clusters/${cluster}/users`;
    const dry = async (method: string, at: string, body?: object): Promise<unknown> => {
      const answer = await stage.gateway.request(method, `${at}?dryRun=true`, { ...(body && { body }) });
      return answer.status === 200 ? [answer.body.dryRun, answer.body.operationId, ...statuses(answer)] : answer.body.code;
    };
    const user = `${path}/${username}`;
    expect(await dry('POST', path, { username, password: PASSWORD })).toEqual([true, null, 'created']);
    expect(await dry('PUT', user, { password: PASSWORD })).toEqual([true, null, 'created']);
    expect(await dry('DELETE', user)).toEqual([true, null, 'not_found']);
    expect(await dry('PUT', `${user}/password`, { password: PASSWORD })).toEqual([true, null, 'not_found']);
    expect(await dry('POST', path, { username, password: 'short' })).toBe('invalid_user');
    expect(effectsOn(username)).toEqual([]);
    await stage.gateway.post(path, { username, password: PASSWORD });
    expect(await dry('POST', path, { username, password: PASSWORD })).toEqual([true, null, 'already_exists']);
    expect(await dry('PUT', user, {})).toEqual([true, null, 'unchanged']);
    expect(await dry('DELETE', user)).toEqual([true, null, 'deleted']);
    expect(effectsOn(username)).toEqual(['created']);
  });
});

describe('the role of a user who is to be there', () => {
  it('is set where it is another one', async () => {
    const username = newName();
    await put('ali', username, { password: PASSWORD });
    const promoted = await put('ali', username, { role: 'admin' });
    expect([promoted.status, promoted.body.role, effectsOn(username)]).toEqual([200, 'admin', ['created', 'role_changed']]);
    const batch = await stage.gateway.post('/clusters/ali/users/batch', {
      items: [{ op: 'ensure', username, role: 'member', password: 'Another@Pass1' }],
    });
    expect([statuses(batch), stage.ehpc.checkPassword(EHPC_CLUSTER, username, PASSWORD)]).toEqual([['updated'], true]);
    expect(effectsOn(username)).toEqual(['created', 'role_changed', 'role_changed']);
  });

  it('that the vendor cannot set is refused', async () => {
    const username = newName();
    await put('shan', username, { password: PASSWORD });
    const { status, body } = await put('shan', username, { role: 'admin' });
    expect([status, body.code]).toEqual([501, 'not_supported']);
    const made = await put('shan', newName(), { role: 'admin', password: PASSWORD });
    expect([made.status, made.body.errors[0].pointer]).toEqual([422, '/role']);
  });
});

it("a role that the cluster does not give is refused, and takes nobody's role", async () => {
  const username = newName();
  await put('ali', username, { password: PASSWORD, role: 'admin' });
  const wrong = await put('ali', username, { role: 'owner' });
  expect([wrong.status, wrong.body.errors]).toMatchObject([422, [{ pointer: '/role' }]]);
  const items = [{ op: 'ensure', username, role: 'owner' }];
  const path = '/clusters/ali/users/batch';
  for (const query of ['', '?dryRun=true']) {
    const { body } = await stage.gateway.post(`${path}${query}`, { items });
    expect([query, body.results[0].status, body.results[0].problem.errors]).toMatchObject([
      query,
      'refused',
      [{ pointer: '/items/0/role' }],
    ]);
  }
  const csv = `op,username,role\nensure,${username},owner\n`;
  const imported = await stage.gateway.request('POST', path, { raw: csv, headers: { 'content-type': 'text/csv' } });
  expect([statuses(imported), (await stage.gateway.get(`/clusters/ali/users/${username}`)).body.role]).toEqual([
    ['refused'],
    'admin',
  ]);
  expect(effectsOn(username)).toEqual(['created']);
});

it('a user who is to be there while an import changes the list is created', async () => {
  stage.shanhe.inject({ kind: 'delay', action: '/user', delayMs: 100, times: -1 });
  stage.shanhe.inject({ kind: 'delay', action: '/user/addUser', delayMs: 50, times: -1 });
  const items = Array.from({ length: 200 }, () => ({ op: 'create', username: newName(), password: PASSWORD }));
  const headers = { prefer: 'respond-async' };
  const { body: accepted } = await stage.gateway.request('POST', '/clusters/shan/users/batch', { body: { items }, headers });
  const ensured = [newName(), newName()];
  const [single, batch] = await Promise.all([
    put('shan', newName(), { password: PASSWORD }),
    stage.gateway.post('/clusters/shan/users/batch', {
      items: ensured.map((username) => ({ op: 'ensure', username, password: PASSWORD })),
    }),
  ]);
  expect([single.status, statuses(batch)]).toEqual([201, ['created', 'created']]);
  const operation = `/operations/${accepted.id}`;
  const { body: ended } = await until(
    () => stage.gateway.get(operation),
    (answer) => answer.body.done,
  );
  stage.shanhe.clearFaults();
  expect(ended.state).toBe('succeeded');
}, 60_000);

describe('a user who may stand where a list has a hole', () => {
  const open = () => stage.ehpc.inject({ kind: 'hole_page', rows: 2, action: 'ListUsers', times: -1 });
  const created = () => stage.ehpc.calls.some(({ action }) => action === 'AddUsers');

  it('is looked for again, and found when it has closed', async () => {
    open();
    stage.ehpc.resetCalls();
    const answer = put('ali', 'user.0033', { password: PASSWORD, role: 'member' });
    await until(() => stage.ehpc.calls.length > 0);
    stage.ehpc.clearFaults();
    const { status, body } = await answer;
    expect([status, body.username, created()]).toEqual([200, 'user.0033', false]);
  });

  it('is left to the vendor when it stays, who overwrites nobody', async () => {
    open();
    stage.ehpc.resetCalls();
    const { status, body } = await put('ali', 'user.0034', { password: PASSWORD, role: 'member' });
    const username = newName();
    const other = await put('ali', username, { password: PASSWORD });
    stage.ehpc.clearFaults();
    expect([status, body.code]).toEqual([409, 'user_already_exists']);
    expect([other.status, effectsOn('user.0034'), effectsOn(username)]).toEqual([201, [], ['created']]);
  });

  it('cannot be given a role as long as it stays', async () => {
    open();
    const { status, body } = await put('ali', 'user.0035', { role: 'admin' });
    stage.ehpc.clearFaults();
    expect([status, body.code, body.detail]).toEqual([
      502,
      'vendor_bad_response',
      expect.stringContaining('Nothing was changed.'),
    ]);
    expect(effectsOn('user.0035')).toEqual([]);
  }, 30_000);
});

it('a user who is taken away before their role is set is created again, and is nobody of a like name', async () => {
  await put('ali', 'CaseUser1', { password: PASSWORD });
  await put('ali', 'caseuser1', { password: PASSWORD, role: 'admin' });
  stage.ehpc.inject({
    kind: 'vendor_error',
    code: 'AgentError.Account.UserNotExist',
    action: 'ModifyUserGroups',
    times: 1,
    delayMs: 500,
  });
  stage.ehpc.resetCalls();
  const answer = put('ali', 'CaseUser1', { role: 'admin', password: PASSWORD });
  // They are read on the last page of the list.
  await until(() => stage.ehpc.calls.filter(({ action }) => action === 'ListUsers').length >= 3);
  await pause(100);
  stage.ehpc.removeUser(EHPC_CLUSTER, 'CaseUser1');
  const { status, body } = await answer;
  stage.ehpc.clearFaults();
  expect([status, body.username, body.role]).toEqual([201, 'CaseUser1', 'admin']);
});

it('a user of a role that nobody can be given stays as they are', async () => {
  const admin = (await stage.gateway.get('/clusters/shan/users?role=admin')).body.items[0];
  const { status, body } = await put('shan', admin.username, { role: 'admin' });
  expect([status, body.role]).toEqual([200, 'admin']);
});
