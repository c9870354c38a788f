/** Users whom a proxy names: only from where it is, and never anybody else's id. */
import { describe, expect, it } from '@jest/globals';
import { createProxyUsers } from '../../src/callers/proxy.js';
import type { GroupRight, ProxyConfig } from '../../src/config/auth.js';

const right = (group: string | undefined, cluster: string): GroupRight => ({
  clusters: [cluster],
  verbs: ['read'],
  roles: ['member'],
  ...(group !== undefined && { group }),
});
const CONFIG: ProxyConfig = {
  userHeader: 'X-Forwarded-User',
  groupsHeader: 'X-Forwarded-Groups',
  from: ['10.0.0.0/8', '192.0.2.7', 'fd00::/8', '2001:db8::5'],
  rights: [right('hpc-admins', 'admins'), right('staff', 'staff'), right(undefined, 'anybody')],
};

const requestOf = (peer: string, headers: Readonly<Record<string, readonly string[]>>) => ({
  peer,
  header: (name: string) => headers[name.toLowerCase()] ?? [],
});
const USER = { 'x-forwarded-user': ['alice'] };
const ask = (peer: string, headers: Readonly<Record<string, readonly string[]>> = USER, config: ProxyConfig = CONFIG) => {
  const verified = createProxyUsers(config, {})(requestOf(peer, headers));
  if (!verified) return undefined;
  return 'caller' in verified ? verified.caller.id : verified.refusal;
};
const clustersOf = (groups: readonly string[], config: ProxyConfig = CONFIG): string[] => {
  const verified = createProxyUsers(config, {})(requestOf('10.1.2.3', { ...USER, 'x-forwarded-groups': groups }));
  return verified && 'caller' in verified ? verified.caller.rights.flatMap(({ clusters }) => clusters) : [];
};

describe('a user whom a proxy names', () => {
  it.each([
    '10.0.0.1',
    '10.255.255.255',
    '192.0.2.7',
    '::ffff:10.1.2.3',
    '::FFFF:192.0.2.7',
    'fd12::1',
    '2001:db8::5',
    '2001:db8:0::5',
  ])('is named from %s', (peer) => {
    expect(ask(peer)).toBe('proxy:alice');
  });

  it.each([
    '9.255.255.255',
    '11.0.0.1',
    '192.0.2.8',
    '::ffff:192.0.2.8',
    '::10.1.2.3',
    '64:ff9b::10.1.2.3',
    '127.0.0.1',
    '::1',
    'fe00::1',
    '2001:db8::6',
  ])('is not named from %s', (peer) => {
    expect(ask(peer)).toBeUndefined();
  });

  it.each(['', 'unix', 'fe80::1%eth0', '10.0.0.1, 1.2.3.4'])('is not named from what is no address: %j', (peer) => {
    expect(ask(peer)).toBeUndefined();
  });

  it('a network of IPv4 in the form of IPv6 counts too', () => {
    const config = { ...CONFIG, from: ['::ffff:192.0.2.0/120'] };
    expect([ask('192.0.2.9', USER, config), ask('::ffff:192.0.2.9', USER, config), ask('192.0.3.9', USER, config)]).toEqual([
      'proxy:alice',
      'proxy:alice',
      undefined,
    ]);
  });

  it('a request without the header is for the other ways', () => {
    expect(ask('10.0.0.1', {})).toBeUndefined();
    expect(ask('10.0.0.1', { 'x-forwarded-groups': ['hpc-admins'] })).toBeUndefined();
  });

  it('a header that is there twice names nobody: one of them may be the own of the client', () => {
    expect(ask('10.0.0.1', { 'x-forwarded-user': ['alice', 'root'] })).toMatch(/x-forwarded-user is there more than once/i);
    expect(ask('10.0.0.1', { 'x-forwarded-user': ['alice', 'alice'] })).toMatch(/more than once/);
    expect(ask('10.0.0.1', { ...USER, 'x-forwarded-groups': ['staff', 'hpc-admins'] })).toMatch(
      /groups is there more than once/i,
    );
  });

  it.each(['', ' ', ' alice', 'alice ', 'al\tice', 'al\u0000ice', 'al\u007fice', 'a'.repeat(256)])(
    'a name that is none: %j',
    (name) => {
      expect(ask('10.0.0.1', { 'x-forwarded-user': [name] })).toMatch(/names no user/);
    },
  );

  it.each(['a', 'Alice Chen', 'alice@example.org', 'a'.repeat(255), 'portal', 'https://sso.example.org/#alice', 'proxy:alice'])(
    'is nobody but a user of a proxy: %s',
    (name) => {
      expect(ask('10.0.0.1', { 'x-forwarded-user': [name] })).toBe(`proxy:${name}`);
    },
  );
});

describe('groups', () => {
  it.each([
    [[], []],
    [[''], []],
    [['staff'], ['staff']],
    [['staff,hpc-admins'], ['admins', 'staff']],
    [[' staff , guests '], ['staff']],
    [['STAFF'], []],
    [['staff;hpc-admins'], []],
    [['not-staff'], []],
    [[',,,'], []],
  ])('%j', (groups, clusters) => {
    expect(clustersOf(groups)).toEqual([...clusters, 'anybody']);
  });

  it('are looked at as far as the two hundredth', () => {
    const many = Array.from({ length: 199 }, (_, index) => `g${index}`);
    expect(clustersOf([[...many, 'staff'].join(',')])).toEqual(['staff', 'anybody']);
    expect(clustersOf([[...many, 'one-more', 'staff'].join(',')])).toEqual(['anybody']);
  });

  it('count for nothing where no header is configured', () => {
    const { groupsHeader: _, ...config } = CONFIG;
    expect(clustersOf(['staff'], config)).toEqual(['anybody']);
  });
});
