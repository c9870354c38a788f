/** Writes without waiting, for clients whose types have one answer. */
import { describe, expect, it } from '@jest/globals';
import { bothVendors } from '../support/both-vendors.js';

const stage = bothVendors();

const PASSWORD = 'Choose@Your0wn';
let fresh = 0;
const newName = (): string => `sto${String(++fresh).padStart(5, '0')}`;
const start = (cluster: string, items: readonly object[], headers: Record<string, string> = {}) =>
  stage.gateway.request('POST', `/clusters/${cluster}/operations`, { body: { items }, headers });
const ended = async (id: string) => {
  const { body } = await stage.gateway.request('GET', `/operations/${id}`, { headers: { prefer: 'wait=60' } });
  return body;
};

describe.each(['ali', 'shan'])('POST /clusters/%s/operations', (cluster) => {
  it('answers 202 and the operation, which does what a batch does', async () => {
    const username = newName();
    const { status, headers, body } = await start(cluster, [
      { op: 'create', username, password: PASSWORD },
      { op: 'delete', username: 'nobody.here' },
    ]);
    expect([status, headers.get('location')]).toEqual([202, `/operations/${body.id}`]);
    expect(headers.get('preference-applied')).toBeNull();
    expect(body).toMatchObject({ kind: 'batchUsers', clusterId: cluster, progress: { total: 2 } });
    const { done, results } = await ended(body.id);
    expect([done, results.map((result: { status: string }) => result.status)]).toEqual([true, ['created', 'not_found']]);
  });

  it('answers a repetition with the same operation, and 202 when it is done, too', async () => {
    const key = { 'idempotency-key': newName() };
    const items = [{ op: 'create', username: newName(), password: PASSWORD }];
    const first = await start(cluster, items, key);
    await ended(first.body.id);
    const again = await start(cluster, items, key);
    expect([again.status, again.body.id, again.body.done]).toEqual([202, first.body.id, true]);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    const other = await start(cluster, [{ op: 'delete', username: newName() }], key);
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
  });

  it('refuses what a batch refuses, and takes no preference and no dry run', async () => {
    const empty = await start(cluster, []);
    expect([empty.status, empty.body.errors]).toEqual([400, [{ pointer: '/items', message: expect.any(String) }]]);
    const items = [{ op: 'create', username: newName(), password: PASSWORD }];
    const dry = await stage.gateway.post(`/clusters/${cluster}/operations`, { items, dryRun: true });
    expect([dry.status, dry.body.errors]).toEqual([400, [{ pointer: '/dryRun', message: 'is not known' }]]);
    expect((await start('nowhere', items)).body.code).toBe('cluster_not_found');
  });
});

describe('what a caller has to ask for', () => {
  it.each([
    ['create', 'POST', '/clusters/ali/users', { username: newName(), password: PASSWORD }],
    ['ensure', 'PUT', `/clusters/ali/users/${newName()}`, { password: PASSWORD }],
    ['update', 'PATCH', '/clusters/ali/users/user.0030', { role: 'admin' }],
    ['password', 'PUT', '/clusters/ali/users/user.0031/password', { password: PASSWORD }],
    ['delete', 'DELETE', '/clusters/ali/users/user.0032', undefined],
  ])('differs from what others get: a dry run of %s', async (_, method, path, body) => {
    const { status, headers, body: result } = await stage.gateway.request(method, `${path}?dryRun=true`, { body });
    expect([status, headers.get('content-type')]).toEqual([200, 'application/vnd.hpc-gateway.dry-run+json; charset=utf-8']);
    expect(result).toMatchObject({ dryRun: true, operationId: null, results: [{ index: 0 }] });
  });
});
