import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Side, VENDORS } from './support/both.js';
import { send } from './support/http.js';

describe.each(VENDORS)('%s: another party', (vendor, make) => {
  const [group, other] = vendor === 'E-HPC' ? ['users', 'wheel'] : ['member', 'admin'];
  let side: Side;
  beforeEach(async () => {
    side = await make();
  });
  afterEach(() => side.simulator.close());

  const control = async (method: string, path: string, body?: unknown) => {
    const url = `${side.simulator.endpoint.replace(/\/api$/, '')}/_simulator${path}`;
    const { status, text } = await send({
      method,
      url,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? '' : JSON.stringify(body),
    });
    return { status, json: text === '' ? null : JSON.parse(text) };
  };
  const stored = async () => (await control('GET', `/users?clusterId=${side.cluster}`)).json;
  const effects = () => side.simulator.otherChanges.map(({ username, effect }) => [username, effect]);

  test('adds, changes and removes users; the journal holds none of it', async () => {
    const { simulator, cluster } = side;
    simulator.addUser(cluster, 'theirs1', { password: 'Their-Pass1', at: '2024-05-01T08:00:00Z' });
    expect(simulator.checkPassword(cluster, 'theirs1', 'Their-Pass1')).toBe(true);
    expect(JSON.stringify(await stored())).toContain('2024-05-01T08:00:00');
    expect(JSON.stringify(await stored())).toContain(`"${group}"`);
    simulator.changePassword(cluster, 'theirs1', 'Their-Pass2');
    expect(simulator.checkPassword(cluster, 'theirs1', 'Their-Pass2')).toBe(true);
    simulator.setGroup(cluster, 'theirs1', String(other));
    expect(JSON.stringify(await stored())).toContain(`"${other}"`);
    expect((await side.page(1, 10)).names).toEqual(['theirs1']);
    simulator.removeUser(cluster, 'theirs1');
    expect(await stored()).toEqual([]);
    expect(effects()).toEqual([
      ['theirs1', 'created'],
      ['theirs1', 'password_changed'],
      ['theirs1', 'role_changed'],
      ['theirs1', 'deleted'],
    ]);
    expect(simulator.journal).toEqual([]);
  });

  test('over HTTP', async () => {
    const { simulator, cluster: clusterId } = side;
    const who = { clusterId, username: 'theirs1' };
    expect((await control('POST', '/users', { ...who, group: other })).status).toBe(204);
    expect((await control('PATCH', '/users', { ...who, password: 'Their-Pass2', group })).status).toBe(204);
    expect(simulator.checkPassword(clusterId, 'theirs1', 'Their-Pass2')).toBe(true);
    expect((await control('DELETE', `/users?clusterId=${clusterId}&username=theirs1`)).status).toBe(204);
    const { json } = await control('GET', '/other-changes');
    expect(json).toEqual(simulator.otherChanges);
    expect(json).toHaveLength(4);
  });

  test('what cannot be done is a TypeError, 400 over HTTP, and leaves no entry', async () => {
    const { simulator, cluster } = side;
    simulator.addUser(cluster, 'theirs1');
    for (const run of [
      () => simulator.addUser(cluster, 'theirs1'),
      () => simulator.addUser('nowhere', 'theirs1'),
      () => simulator.addUser(cluster, 'theirs2', { group: 'kings' }),
      () => simulator.addUser(cluster, 'theirs2', { at: 'noon' }),
      () => simulator.removeUser(cluster, 'nobody1'),
      () => simulator.changePassword(cluster, 'nobody1', 'Their-Pass1'),
      () => simulator.setGroup(cluster, 'theirs1', 'kings'),
    ])
      expect(run).toThrow(TypeError);
    for (const body of [{}, { clusterId: cluster }, { clusterId: cluster, username: 7 }, null])
      expect((await control('POST', '/users', body)).status).toBe(400);
    expect((await control('PATCH', '/users', { clusterId: cluster, username: 'theirs1' })).status).toBe(400);
    expect((await control('DELETE', '/users?username=theirs1')).status).toBe(400);
    expect(effects()).toEqual([['theirs1', 'created']]);
  });

  test('effects of API calls are in the journal alone, also after a change that was refused', async () => {
    const { simulator, cluster } = side;
    expect(() => simulator.removeUser(cluster, 'nobody1')).toThrow();
    await side.write('newuser1');
    while (simulator.journal.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(simulator.otherChanges).toEqual([]);
  });
});
