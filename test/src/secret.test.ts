import { format, inspect } from 'node:util';
import { serialize } from 'node:v8';
import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { Secret, secretsIn, withSecret } from '../../src/secret.js';

const VALUE = 'Sup3r@Secret#42';
const secret = new Secret(VALUE);

describe('a secret', () => {
  it.each<[string, () => unknown]>([
    ['String', () => String(secret)],
    ['a template', () => `${secret}`],
    ['concatenation', () => 'a'.concat(secret as unknown as string).slice(1)],
    ['valueOf', () => secret.valueOf()],
    ['JSON', () => JSON.parse(JSON.stringify(secret))],
    ['inspect', () => inspect(secret)],
    ['%s', () => format('%s', secret)],
    ['%o', () => format('%o', secret)],
    ['join', () => [secret].join()],
    ['toLocaleString', () => secret.toLocaleString()],
  ])('is hidden in %s', (_, shown) => {
    expect(shown()).toBe('[secret]');
  });

  it.each<[string, () => unknown]>([
    ['inspect, nested', () => inspect({ a: [{ b: secret }] }, { showHidden: true, depth: null, getters: true })],
    ['inspect without its hook', () => inspect({ secret }, { showHidden: true, customInspect: false, depth: null })],
    ['JSON, nested', () => JSON.stringify({ a: { b: [secret] } })],
    ['a clone', () => inspect(structuredClone(secret), { showHidden: true })],
    ['serialised bytes', () => serialize({ secret }).toString('latin1')],
    ['its keys', () => Reflect.ownKeys(secret).concat(Object.keys(secret)).join()],
    ['a spread', () => JSON.stringify({ ...secret })],
    ['its entries', () => JSON.stringify([Object.entries(secret), Object.getOwnPropertyDescriptors(secret)])],
    ['an error', () => new Error(`no ${secret}`).stack],
  ])('does not show in %s', (_, shown) => {
    expect(String(shown())).not.toContain(VALUE.slice(0, 5));
  });

  it('does not show in a log line', () => {
    const lines: string[] = [];
    const log = pino({}, { write: (line: string) => void lines.push(line) });
    log.info({ secret, nested: { list: [secret] }, err: Object.assign(new Error('x'), { secret }) }, 'a %s %j', secret, secret);
    expect(lines.join('')).toContain('[secret]');
    expect(lines.join('')).not.toContain(VALUE);
  });

  it('is unwrapped by one method, and compared without it', () => {
    expect(secret.unwrap()).toBe(VALUE);
    expect([secret.equals(new Secret(VALUE)), secret.equals(new Secret('other')), secret.equals(undefined)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('cannot be changed', () => {
    expect(() => Object.assign(secret, { leak: VALUE })).toThrow(TypeError);
  });
});

describe('values with secrets', () => {
  it('have their password wrapped where there is one', () => {
    const wrapped = withSecret({ username: 'a', password: VALUE });
    expect([wrapped.username, wrapped.password.unwrap()]).toEqual(['a', VALUE]);
    expect(withSecret<{ username: string; password?: string }>({ username: 'a' })).toEqual({ username: 'a' });
  });

  it('have their secrets found', () => {
    const other = new Secret('other');
    const found = secretsIn([{ a: secret }, { b: { c: [other, 'text', null, 1] } }]);
    expect(found.map((each) => each.unwrap())).toEqual([VALUE, 'other']);
    expect(secretsIn('text')).toHaveLength(0);
  });
});
