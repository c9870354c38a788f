/** Entity tags: a user is changed only as long as it is as the caller saw it. */
import { describe, expect, it } from '@jest/globals';
import { bothVendors, configOver } from '../support/both-vendors.js';
import { makeCaller } from '../support/callers.js';
import { startGateway } from '../support/gateway.js';
import { sendRaw } from '../support/raw-request.js';

const stage = bothVendors();

const PASSWORD = 'Choose@Your0wn';
let fresh = 0;
const newName = (): string => `pre${String(++fresh).padStart(5, '0')}`;

const VENDORS = [
  ['E-HPC', 'ali'],
  ['Shanhe', 'shan'],
] as const;
type ClusterId = (typeof VENDORS)[number][1];

const usersOf = (cluster: ClusterId): string => `/clusters/${cluster}/users`;
const effectsOn = (username: string): string[] =>
  [...stage.ehpc.journal, ...stage.shanhe.journal].filter((e) => e.username === username).map(({ effect }) => effect);

/** Makes a user; answers its path and its tag. */
const made = async (cluster: ClusterId) => {
  const username = newName();
  const { status, headers } = await stage.gateway.post(usersOf(cluster), { username, password: PASSWORD });
  expect(status).toBe(201);
  return { username, path: `${usersOf(cluster)}/${username}`, tag: headers.get('etag') as string };
};

const promote = (path: string, headers: Record<string, string> = {}) =>
  stage.gateway.request('PATCH', path, { body: { role: 'admin' }, headers });
const remove = (path: string, headers: Record<string, string> = {}) => stage.gateway.request('DELETE', path, { headers });
const setPassword = (path: string, headers: Record<string, string> = {}) =>
  stage.gateway.request('PUT', `${path}/password`, { body: { password: `${PASSWORD}9` }, headers });

type Write = typeof promote;
const WRITES: readonly [string, ClusterId, Write, number, string][] = [
  ['PATCH on E-HPC', 'ali', promote, 200, 'role_changed'],
  ['DELETE on E-HPC', 'ali', remove, 204, 'deleted'],
  ['PUT password on E-HPC', 'ali', setPassword, 204, 'password_changed'],
  ['DELETE on Shanhe', 'shan', remove, 204, 'deleted'],
  ['PUT password on Shanhe', 'shan', setPassword, 204, 'password_changed'],
];

describe('the entity tag of a user', () => {
  it.each(VENDORS)('is strong, and the same for who made it and for whoever reads it: %s', async (_, cluster) => {
    const { path, tag } = await made(cluster);
    expect(tag).toMatch(/^"[\x21\x23-\x7e]+"$/);
    for (const query of ['', '', '?include=vendor'])
      expect((await stage.gateway.get(`${path}${query}`)).headers.get('etag')).toBe(tag);
  });

  it('is another for every user', async () => {
    const tags = [await made('ali'), await made('ali'), await made('shan')].map(({ tag }) => tag);
    expect(new Set(tags).size).toBe(3);
  });

  it('changes with the role, and comes back with it', async () => {
    const { path, tag } = await made('ali');
    const promoted = await promote(path);
    const changed = promoted.headers.get('etag');
    expect([promoted.status, changed]).toEqual([200, expect.stringMatching(/^"[^"]+"$/)]);
    expect(changed).not.toBe(tag);
    expect((await stage.gateway.get(path)).headers.get('etag')).toBe(changed);
  });

  it('is not told of a user who could not be read back, unless it is the right one', async () => {
    const username = newName();
    stage.ehpc.inject({ kind: 'http_status', status: 500, action: 'ListUsers', times: -1 });
    const { status, headers } = await stage.gateway.post(usersOf('ali'), { username, password: PASSWORD });
    expect(status).toBe(201);
    stage.ehpc.clearFaults();
    const read = await stage.gateway.get(`${usersOf('ali')}/${username}`);
    expect(read.status).toBe(200);
    expect([null, read.headers.get('etag')]).toContain(headers.get('etag'));
  });

  it('is another for a user that was deleted and made again', async () => {
    const { username, path, tag } = await made('ali');
    await remove(path);
    // The vendor tells times in whole seconds, and no ids in this listing.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const again = await stage.gateway.post(usersOf('ali'), { username, password: PASSWORD });
    expect(again.headers.get('etag')).not.toBe(tag);
  });
});

describe('If-Match', () => {
  it.each(WRITES)('lets a write pass when the user is as it was seen: %s', async (_, cluster, write, status, effect) => {
    const { username, path, tag } = await made(cluster);
    expect((await write(path, { 'if-match': tag })).status).toBe(status);
    expect(effectsOn(username)).toEqual(['created', effect]);
  });

  it.each(WRITES)('stops a write when the user is another, and changes nothing: %s', async (_, cluster, write) => {
    const { username, path, tag } = await made(cluster);
    // Shanhe changes no roles: any other tag stands for an older state there.
    const old = cluster === 'ali' ? tag : '"an-older-state"';
    if (cluster === 'ali') await promote(path);
    const before = effectsOn(username);
    const { status, body } = await write(path, { 'if-match': old });
    expect([status, body.code, body.retryable]).toEqual([412, 'precondition_failed', false]);
    expect(effectsOn(username)).toEqual(before);
  });

  it.each(WRITES)('* lets a write pass for any user that is there: %s', async (_, cluster, write, status, effect) => {
    const { username, path } = await made(cluster);
    expect((await write(path, { 'if-match': '*' })).status).toBe(status);
    expect(effectsOn(username)).toEqual(['created', effect]);
  });

  it.each(WRITES)('* and a tag answer 404 for a user that is not there: %s', async (_, cluster, write) => {
    const path = `${usersOf(cluster)}/${newName()}`;
    for (const ifMatch of ['*', '"some-state"']) {
      const { status, body } = await write(path, { 'if-match': ifMatch });
      expect([ifMatch, status, body.code]).toEqual([ifMatch, 404, 'user_not_found']);
    }
  });

  it('takes the right tag among others', async () => {
    const lists = [(tag: string) => `"a", ${tag},"b"`, (tag: string) => `${tag} , W/"a"`, (tag: string) => ` "a,b",${tag}`];
    for (const list of lists) {
      const { path, tag } = await made('ali');
      expect((await promote(path, { 'if-match': list(tag) })).status).toBe(200);
    }
  });

  it('never takes a weak tag, nor a part of one', async () => {
    const { username, path, tag } = await made('ali');
    const bare = tag.slice(1, -1);
    for (const ifMatch of [`W/${tag}`, `"a", W/${tag}`, `"x${bare}"`, `"${bare}x"`, `"${bare.slice(1)}"`, '""', '"*"']) {
      const { status, body } = await promote(path, { 'if-match': ifMatch });
      expect([ifMatch, status, body.code]).toEqual([ifMatch, 412, 'precondition_failed']);
    }
    expect(effectsOn(username)).toEqual(['created']);
  });

  it.each([
    ['no quotes', 'k7Wm0r5bS3xQ'],
    ['one quote', '"k7Wm0r5bS3xQ'],
    ['no comma', '"a" "b"'],
    ['a star among tags', '"a", *'],
    ['nothing', ''],
    ['a small w', 'w/"a"'],
    ['too long', `"${'x'.repeat(1024)}"`],
  ])('is refused when it is none: %s', async (_, ifMatch) => {
    const { username, path } = await made('ali');
    for (const write of [promote, remove, setPassword]) {
      const { status, body } = await write(path, { 'if-match': ifMatch });
      expect([status, body.code, body.errors[0].pointer]).toEqual([400, 'invalid_request', '/header/If-Match']);
    }
    expect(effectsOn(username)).toEqual(['created']);
  });

  it('may have empty elements in its list, as proxies that join fields leave them', async () => {
    const { path, tag } = await made('ali');
    for (const ifMatch of [`, ${tag}`, `${tag},`, `"x", ,${tag},, "y" ,`]) {
      const { status } = await setPassword(path, { 'if-match': ifMatch });
      expect([ifMatch, status]).toEqual([ifMatch, 204]);
    }
    const none = await promote(path, { 'if-match': ', ,' });
    expect([none.status, none.body.errors[0].pointer]).toEqual([400, '/header/If-Match']);
    const long = await promote(path, { 'if-match': `${', '.repeat(500)}x` });
    expect(long.status).toBe(400);
  });

  it('lets one of two administrators who saw the same user change it', async () => {
    const administrators = [makeCaller('one'), makeCaller('two')];
    const gateway = await startGateway({ ...configOver(stage), auth: { callers: administrators.map(({ config }) => config) } });
    for (let round = 0; round < 5; round++) {
      const { username, path, tag } = await made('ali');
      const answers = await Promise.all(
        administrators.map(({ headers }) =>
          gateway.request('PATCH', path, { body: { role: 'admin' }, headers: { 'if-match': tag, ...headers } }),
        ),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
      expect(effectsOn(username)).toEqual(['created', 'role_changed']);
    }
    await gateway.stop();
  });

  it('lets one of a change and a delete through, whichever comes first', async () => {
    const { username, path, tag } = await made('ali');
    const [changed, deleted] = await Promise.all([promote(path, { 'if-match': tag }), remove(path, { 'if-match': tag })]);
    const [effect, answers] = changed.status === 200 ? ['role_changed', [200, 412]] : ['deleted', [404, 204]];
    expect([changed.status, deleted.status]).toEqual(answers);
    expect(effectsOn(username)).toEqual(['created', effect]);
  });

  it('writes nothing when the user cannot be read, and says that trying again may help', async () => {
    const { username, path, tag } = await made('ali');
    stage.ehpc.inject({ kind: 'http_status', status: 503, action: 'ListUsers', times: -1 });
    const { status, body } = await promote(path, { 'if-match': tag });
    expect([status, body.code, body.retryable]).toEqual([503, 'vendor_unavailable', true]);
    expect(body.detail).toContain('Nothing was changed.');
    expect(effectsOn(username)).toEqual(['created']);
  });

  it('leaves the key free where it was not met: with the tag of now the same request is made', async () => {
    const { username, path, tag } = await made('ali');
    const changed = (await promote(path)).headers.get('etag') as string;
    const demote = (ifMatch: string) => {
      const headers = { 'if-match': ifMatch, 'idempotency-key': `pre-${username}` };
      return stage.gateway.request('PATCH', path, { body: { role: 'member' }, headers });
    };
    expect((await demote(tag)).status).toBe(412);
    const done = await demote(changed);
    expect([done.status, done.body.role, done.headers.get('idempotency-replayed')]).toEqual([200, 'member', null]);
    expect([(await demote(changed)).headers.get('idempotency-replayed')]).toEqual(['true']);
  });
});

describe('If-None-Match of a read', () => {
  it.each(['*', 'the tag'])('is heeded for users alone: %s', async (given) => {
    const { path, tag } = await made('ali');
    for (const at of [path, usersOf('ali'), '/operations', '/clusters', '/nothing']) {
      const plain = await stage.gateway.get(at);
      // `fetch` adds `Cache-Control: no-cache` to such a request.
      const lines = [`GET ${at} HTTP/1.1`, 'Host: localhost', `If-None-Match: ${given === '*' ? given : tag}`];
      const { status, text } = await sendRaw(stage.gateway.url, lines);
      const isKnown = at === path || (at === usersOf('ali') && given === '*');
      expect([at, status, text.length > 0]).toEqual([at, isKnown ? 304 : plain.status, !isKnown]);
    }
  });
});
