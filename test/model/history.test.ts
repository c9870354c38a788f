import { describe, expect, it } from '@jest/globals';
import { type History, isPossible, type Line } from './history.js';

const line = (op: Line['op'], status: string, more: Partial<Line> = {}): Line => ({
  op,
  username: 'wang01',
  status,
  detail: '',
  ...(op === 'create' && { password: 'first' }),
  ...more,
});
const there = { role: 'member', password: 'old' } as const;
const made = { role: 'member', password: 'first' } as const;
const history = (facts: Partial<History>): History => ({ before: null, after: null, effects: [], operations: [], ...facts });

describe('reports that can be true', () => {
  it.each<[string, Partial<History>]>([
    ['a create', { after: made, effects: ['created'], operations: [[line('create', 'created')]] }],
    ['an unknown create without effect', { operations: [[line('create', 'unknown')]] }],
    ['an unknown create with effect', { after: made, effects: ['created'], operations: [[line('create', 'unknown')]] }],
    ['a user who is as wanted', { before: there, after: there, operations: [[line('ensure', 'unchanged', { role: 'member' })]] }],
    [
      'a user to ensure between a delete and another one',
      {
        before: there,
        after: made,
        effects: ['deleted', 'created'],
        operations: [
          [line('delete', 'deleted')],
          [line('ensure', 'created', { password: 'first' }), line('ensure', 'unchanged')],
        ],
      },
    ],
    ['a taken name', { before: there, after: there, operations: [[line('create', 'already_exists')]] }],
    [
      'a delete between two creates',
      {
        after: made,
        effects: ['created', 'deleted', 'created'],
        operations: [[line('create', 'created', { password: 'other' }), line('delete', 'deleted'), line('create', 'created')]],
      },
    ],
    [
      'two operations, the later one first',
      {
        after: { role: 'member', password: 'second' },
        effects: ['created'],
        operations: [[line('create', 'already_exists')], [line('create', 'created', { password: 'second' })]],
      },
    ],
    [
      'a password that is set twice',
      {
        before: there,
        after: { role: 'member', password: 'new' },
        effects: ['password_changed', 'password_changed'],
        operations: [[line('update', 'updated', { password: 'new' })]],
      },
    ],
    [
      'a role of a user whom another operation deletes before the second send',
      {
        before: there,
        effects: ['role_changed', 'deleted'],
        operations: [[line('update', 'not_found', { role: 'admin' })], [line('delete', 'deleted')]],
      },
    ],
    [
      'a role that was changed before the password was refused',
      {
        before: there,
        after: { role: 'admin', password: 'old' },
        effects: ['role_changed'],
        operations: [[line('update', 'refused', { role: 'admin', password: 'x', detail: 'No. The role was changed.' })]],
      },
    ],
  ])('%s', (_, facts) => {
    expect(isPossible(history(facts))).toBe(true);
  });
});

describe('reports that cannot', () => {
  it.each<[string, Partial<History>]>([
    ['a user who is as wanted, and is not there', { operations: [[line('ensure', 'unchanged')]] }],
    [
      'a user who is as wanted, and has another role',
      { before: there, after: there, operations: [[line('ensure', 'unchanged', { role: 'admin' })]] },
    ],
    [
      'a user who was made, and is reported as unchanged',
      { after: made, effects: ['created'], operations: [[line('ensure', 'unchanged', { password: 'first' })]] },
    ],
    ['a create without effect', { operations: [[line('create', 'created')]] }],
    ['a failed create with effect', { after: made, effects: ['created'], operations: [[line('create', 'failed')]] }],
    ['a name that nobody had', { operations: [[line('create', 'already_exists')]] }],
    ['its own user, reported as taken', { after: made, effects: ['created'], operations: [[line('create', 'already_exists')]] }],
    [
      'one user for two creates',
      { after: made, effects: ['created'], operations: [[line('create', 'created')], [line('create', 'created')]] },
    ],
    [
      "the other create's password",
      {
        after: made,
        effects: ['created'],
        operations: [[line('create', 'already_exists')], [line('create', 'created', { password: 'second' })]],
      },
    ],
    ['a cancelled delete with effect', { before: there, effects: ['deleted'], operations: [[line('delete', 'cancelled')]] }],
    ['a missing user who was there', { before: there, after: there, operations: [[line('delete', 'not_found')]] }],
    [
      'the items of one operation in another order',
      { before: there, after: there, operations: [[line('create', 'already_exists'), line('delete', 'not_found')]] },
    ],
    [
      'a role that was changed, of a user who is reported as missing and is there',
      {
        before: there,
        after: { role: 'admin', password: 'old' },
        effects: ['role_changed'],
        operations: [[line('update', 'not_found', { role: 'admin' })]],
      },
    ],
    [
      'a password that was not set',
      { before: there, after: there, operations: [[line('update', 'updated', { password: 'new' })]] },
    ],
    [
      'an older password over a newer one',
      {
        before: there,
        after: { role: 'member', password: 'one' },
        effects: ['password_changed', 'password_changed'],
        operations: [[line('update', 'updated', { password: 'one' }), line('update', 'updated', { password: 'two' })]],
      },
    ],
    ['an effect that nobody asked for', { before: there, effects: ['deleted'], operations: [] }],
  ])('%s', (_, facts) => {
    expect(isPossible(history(facts))).toBe(false);
  });
});
