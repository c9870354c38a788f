import { expect, it } from '@jest/globals';
import { CLUSTER } from '../support/backends.js';
import type { Subject } from './reading.js';

const USERS = `/clusters/${CLUSTER}/users`;
const password = (backend: Subject['backend']) => ({ password: backend.password });

/** What every adapter owes to a writer. */
export const writing = ({ backend, gateway, live }: Subject): void => {
  const effects = (username: string) =>
    live()
      .simulator?.journal.filter((effect) => effect.username === username)
      .map(({ effect }) => effect);
  const hasPassword = (username: string, secret: string) =>
    live().simulator?.checkPassword(live().vendorClusterId, username, secret) ?? true;

  it('creates a user, once, with its password, and then finds it', async () => {
    const username = backend.newName();
    const { status, body, headers } = await gateway().post(USERS, { username, ...password(backend) });
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`${USERS}/${username}`);
    expect(body).toMatchObject({ clusterId: CLUSTER, username, role: 'member' });
    expect(Date.now() - Date.parse(body.createdAt)).toBeLessThan(60_000);
    expect((await gateway().get(`${USERS}/${username}`)).body).toEqual(body);
    expect(hasPassword(username, backend.password)).toBe(true);
    if (live().simulator) expect(effects(username)).toEqual(['created']);
    expect(gateway().logged()).not.toContain(backend.password);
  });

  it('answers 409 for a name that is taken, and changes nothing', async () => {
    const username = backend.newName();
    await gateway().post(USERS, { username, ...password(backend) });
    const { status, body } = await gateway().post(USERS, { username, password: `${backend.password}9` });
    expect([status, body.code]).toEqual([409, 'user_already_exists']);
    expect(hasPassword(username, backend.password)).toBe(true);
    if (live().simulator) expect(effects(username)).toEqual(['created']);
  });

  it('deletes a user', async () => {
    const username = backend.newName();
    await gateway().post(USERS, { username, ...password(backend) });
    expect((await gateway().request('DELETE', `${USERS}/${username}`)).status).toBe(204);
    expect((await gateway().get(`${USERS}/${username}`)).status).toBe(404);
    const again = await gateway().request('DELETE', `${USERS}/${username}`);
    expect([again.status, again.body.code]).toEqual([404, 'user_not_found']);
  });

  it('sets a password', async () => {
    const username = backend.newName();
    await gateway().post(USERS, { username, ...password(backend) });
    const changed = `9${backend.password}`;
    const { status } = await gateway().request('PUT', `${USERS}/${username}/password`, { body: { password: changed } });
    expect(status).toBe(204);
    expect(hasPassword(username, changed)).toBe(true);
    expect(gateway().logged()).not.toContain(changed);

    const nobody = await gateway().request('PUT', `${USERS}/${backend.newName()}/password`, { body: { password: changed } });
    expect([nobody.status, nobody.body.code]).toEqual([404, 'user_not_found']);
  });

  it(backend.setsRoles ? 'changes a role' : 'answers 501 for a role change', async () => {
    const username = backend.newName();
    await gateway().post(USERS, { username, ...password(backend) });
    const change = (name: string, type = 'application/merge-patch+json') =>
      gateway().request('PATCH', `${USERS}/${name}`, { raw: '{"role":"admin"}', headers: { 'content-type': type } });
    const { status, body } = await change(username);
    if (!backend.setsRoles) {
      expect([status, body.code]).toEqual([501, 'not_supported']);
      return;
    }
    expect([status, body.role]).toEqual([200, 'admin']);
    expect((await gateway().get(`${USERS}/${username}`)).body.role).toBe('admin');
    expect((await change(username, 'application/json')).status).toBe(200);
    const nobody = await change(backend.newName());
    expect([nobody.status, nobody.body.code]).toEqual([404, 'user_not_found']);
  });

  it('creates with every role that the capabilities name, and refuses the others', async () => {
    for (const role of ['member', 'admin', 'owner']) {
      const username = backend.newName();
      const { status, body } = await gateway().post(USERS, { username, ...password(backend), role });
      if (backend.gives.includes(role)) expect([status, body.role]).toEqual([201, role]);
      else expect([status, body.code, body.errors[0].pointer]).toEqual([422, 'invalid_user', '/role']);
    }
  });

  it('refuses bad names and passwords by the capability data before any vendor call', async () => {
    const { capabilities } = (await gateway().get(`/clusters/${CLUSTER}`)).body;
    live().simulator?.resetCalls();
    const bad = [
      { username: '', ...password(backend), pointer: '/username' },
      { username: 'not a name', ...password(backend), pointer: '/username' },
      { username: 'x'.repeat(capabilities.username.maxLength + 1), ...password(backend), pointer: '/username' },
      { username: 'ünïcode', ...password(backend), pointer: '/username' },
      { username: backend.newName(), password: 'a', pointer: '/password' },
      { username: backend.newName(), password: `Aa1!${'x'.repeat(capabilities.password.maxLength)}`, pointer: '/password' },
    ];
    for (const { pointer, ...user } of bad) {
      const { status, body, text } = await gateway().post(USERS, user);
      expect([status, body.code, body.errors]).toEqual([422, 'invalid_user', [{ pointer, message: expect.any(String) }]]);
      if (user.password.length > 1) expect(text).not.toContain(user.password);
    }
    const both = await gateway().post(USERS, { username: '-', password: '-' });
    expect(both.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(['/username', '/password']);
    const put = await gateway().request('PUT', `${USERS}/${backend.seeded[5]}/password`, { body: { password: 'a' } });
    expect([put.status, put.body.errors[0].pointer]).toEqual([422, '/password']);
    if (live().simulator) expect(live().simulator?.calls).toEqual([]);
  });
};
