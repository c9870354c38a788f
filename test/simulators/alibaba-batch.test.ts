import { afterEach, describe, expect, test } from '@jest/globals';
import { type AlibabaEhpcSimulator, type EhpcQuirks, startAlibabaEhpc } from '../../simulators/alibaba-ehpc/index.js';
import { acs3, userParams } from './support/ehpc-client.js';

const CLUSTER = 'ehpc-hz-batch00001';
const PASSWORD = 'Passw0rd!';

let simulator: AlibabaEhpcSimulator;
afterEach(() => simulator.close());

const start = async (batch: EhpcQuirks['batch'], seeded: readonly string[]) => {
  const users = seeded.map((name) => ({ name, group: 'users' as const, password: 'Before-1' }));
  simulator = await startAlibabaEhpc({ clusters: [{ id: CLUSTER, name: 'b', status: 'running', users }], quirks: { batch } });
};
const write = (action: string, names: readonly string[], fields: Record<string, string>) =>
  acs3(
    simulator,
    action,
    userParams(
      CLUSTER,
      names.map((Name) => ({ Name, ...fields })),
    ),
  );
const changed = () => simulator.journal.map(({ username }) => username);

const TAKEN = 'AgentError.Account.UserAlreadyExist';
const UNKNOWN = 'AgentError.Account.UserNotExist';
const NAMES = ['batch.1', 'batch.2', 'batch.3'];

/** The bad entry first, in the middle, last; the other three are good. */
const placed = (bad: string, index: number) => NAMES.toSpliced(index, 0, bad);

const WRITES = [
  ['AddUsers', { Group: 'users', Password: PASSWORD }, ['bad.one'], TAKEN, 'created'],
  ['DeleteUsers', {}, NAMES, UNKNOWN, 'deleted'],
  ['ModifyUserGroups', { Group: 'wheel' }, NAMES, UNKNOWN, 'role_changed'],
  ['ModifyUserPasswords', { Password: PASSWORD }, NAMES, UNKNOWN, 'password_changed'],
] as const;

const APPLIED: Record<EhpcQuirks['batch'], (index: number) => string[]> = {
  'all-or-nothing': () => [],
  'until-refused': (index) => NAMES.slice(0, index),
  'skips-refused': () => NAMES,
};

describe.each(Object.entries(APPLIED))('%s', (batch, applied) => {
  test.each(WRITES)('%s with one bad entry', async (action, fields, seeded, code, effect) => {
    for (const index of [0, 1, 3]) {
      await start(batch as EhpcQuirks['batch'], seeded);
      const reply = await write(action, placed('bad.one', index), fields);
      expect([reply.status, reply.json['Code'], reply.json['Message']]).toEqual([406, code, expect.stringContaining('bad.one')]);
      expect(changed()).toEqual(applied(index));
      expect(simulator.journal.every((entry) => entry.effect === effect)).toBe(true);
      await simulator.close();
    }
  });

  test('a good batch is applied whole, one that breaks a rule not at all', async () => {
    await start(batch as EhpcQuirks['batch'], []);
    const fields = { Group: 'users', Password: PASSWORD };
    expect((await write('AddUsers', ['batch.1', '9'], fields)).json['Code']).toBe('InvalidParams');
    expect(changed()).toEqual([]);
    expect((await write('AddUsers', NAMES, fields)).status).toBe(200);
    expect(changed()).toEqual(NAMES);
  });
});

test('skips-refused answers the refusal of the first bad entry', async () => {
  await start('skips-refused', ['batch.2']);
  const reply = await write('DeleteUsers', ['first.bad', 'batch.2', 'other.bad'], {});
  expect(reply.json['Message']).toContain('first.bad');
  expect(changed()).toEqual(['batch.2']);
});

test('half_batch applies the first half in every mode', async () => {
  await start('until-refused', NAMES);
  simulator.inject({ kind: 'half_batch' });
  const reply = await write('DeleteUsers', [...NAMES, 'bad.one'], {});
  expect(reply.json['Code']).toBe('AgentError.Account.UserDeleteFailure');
  expect(changed()).toEqual(['batch.1', 'batch.2']);
});
