/** Looking for several users by name, and for one on all clusters. */
import { describe, expect, it } from '@jest/globals';
import { bothVendors } from '../support/both-vendors.js';

const stage = bothVendors();

describe('several users by name', () => {
  it('come in one window, in the order asked for, without those who are not there', async () => {
    const { status, body } = await stage.gateway.get('/clusters/ali/users?username=user.0007,nobody.here, user.0003,user.0007');
    expect([status, body.items.map(({ username }: { username: string }) => username)]).toEqual([200, ['user.0007', 'user.0003']]);
    expect([body.total, body.nextCursor, body.incomplete]).toEqual([2, null, null]);
    expect((await stage.gateway.get('/clusters/shan/users?username=u0007&role=admin')).body.items).toEqual([]);
  });

  it.each([
    ['username=a,,b', '/query/username'],
    [`username=${Array.from({ length: 101 }, (_, index) => `n${index}`).join(',')}`, '/query/username'],
    [`username=a,${'b'.repeat(256)}`, '/query/username'],
    ['username=a&search=b', '/query/search'],
    ['username=a&offset=1', '/query/offset'],
  ])('%s is refused', async (query, pointer) => {
    const { status, body } = await stage.gateway.get(`/clusters/ali/users?${query}`);
    expect([status, body.errors[0].pointer]).toEqual([400, pointer]);
  });
});

it('one user on all clusters: a result or a problem for each', async () => {
  const username = 'everywhere1';
  await stage.gateway.request('PUT', `/clusters/ali/users/${username}`, { body: { password: 'Choose@Your0wn' } });
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
