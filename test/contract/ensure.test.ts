/** Making a user exist, however often it is asked for; dry runs of single writes; looking for several users, and on several clusters. */
import { describe, expect, it } from '@jest/globals';
import { EHPC_CLUSTER } from '../support/backends.js';
import { bothVendors } from '../support/both-vendors.js';
import type { TestAnswer } from '../support/gateway.js';

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
    expect([status, body.code]).toEqual([422, 'invalid_user']);
  });
});

describe('several users by name', () => {
  it('come in one window, in the order asked for, without those who are not there', async () => {
    const { status, body } = await stage.gateway.get('/clusters/ali/users?username=user.0007,nobody.here,user.0003,user.0007');
    expect([status, body.items.map(({ username }: { username: string }) => username)]).toEqual([200, ['user.0007', 'user.0003']]);
    expect([body.total, body.nextCursor, body.incomplete]).toEqual([2, null, null]);
    expect((await stage.gateway.get('/clusters/shan/users?username=u0007&role=admin')).body.items).toEqual([]);
  });

  it.each([
    ['username=a,,b', '/query/username'],
    [`username=${Array.from({ length: 101 }, (_, index) => `n${index}`).join(',')}`, '/query/username'],
    ['username=a&search=b', '/query/search'],
    ['username=a&offset=1', '/query/offset'],
  ])('%s is refused', async (query, pointer) => {
    const { status, body } = await stage.gateway.get(`/clusters/ali/users?${query}`);
    expect([status, body.errors[0].pointer]).toEqual([400, pointer]);
  });
});

it('one user on all clusters: a result or a problem for each', async () => {
  const username = newName();
  await put('ali', username, { password: PASSWORD });
  const { status, body } = await stage.gateway.get(`/users/${username}`);
  expect([status, body.username]).toEqual([200, username]);
  const of = (id: string) => body.items.find(({ clusterId }: { clusterId: string }) => clusterId === id);
  expect(of('ali')).toMatchObject({ user: { username } });
  expect(of('shan')).toMatchObject({ problem: { code: 'user_not_found' } });
  stage.shanhe.inject({ kind: 'http_status', status: 500, action: '/user', times: -1 });
  const partly = await stage.gateway.get(`/users/${username}`);
  expect(
    partly.body.items.map(({ user, problem }: { user?: object; problem?: { code: string } }) => (user ? 'user' : problem?.code)),
  ).toContain('vendor_unavailable');
});
