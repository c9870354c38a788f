/** Commands against the demo: tables, JSON, exit codes, passwords. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { endProcesses } from '../support/process.js';
import { PASSWORD, start, startDemo } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'gateway-cli-'));
let demo: Awaited<ReturnType<typeof startDemo>>;
beforeAll(async () => {
  demo = await startDemo();
});
afterAll(async () => {
  await demo.stop();
  endProcesses();
  rmSync(folder, { recursive: true });
});

const lines = (text: string): string[] => text.trimEnd().split('\n');

describe('clusters', () => {
  it('as a table and as JSON', async () => {
    const table = await demo.at(['clusters']);
    expect([table.code, table.err]).toEqual([0, '']);
    expect(lines(table.out).map((line) => line.split(/ {2,}/)[0])).toEqual(['ID', 'demo-ehpc', 'demo-shanhe']);
    const { items } = JSON.parse((await demo.at(['clusters', '--json'])).out) as { items: { id: string }[] };
    expect(items.map(({ id }) => id)).toEqual(['demo-ehpc', 'demo-shanhe']);
  });
});

describe('users', () => {
  it('are listed as a table, as one JSON value, and as lines, over all windows', async () => {
    const table = await demo.at(['users', 'list', '-c', 'demo-shanhe', '--limit', '2']);
    expect(lines(table.out)[0]).toMatch(/^USERNAME +ROLE +GROUP +UID +GID +CREATED$/);
    expect(lines(table.out)).toHaveLength(3);
    const json = await demo.at(['users', 'list', '-c', 'demo-shanhe', '--json']);
    expect(JSON.parse(json.out)).toHaveLength(250);
    const ndjson = await demo.at(['users', 'list', '-c', 'demo-shanhe', '--ndjson', '--role', 'member', '--search', 'liu']);
    const found = lines(ndjson.out).map((line) => JSON.parse(line) as { username: string; role: string });
    expect(found.length).toBeGreaterThan(0);
    for (const { username, role } of found) expect([username.includes('liu'), role]).toEqual([true, 'member']);
  });

  it('are created, changed and deleted; the password comes from standard input or a file, and is shown nowhere', async () => {
    const file = join(folder, 'password');
    writeFileSync(file, `${PASSWORD}\n`);
    const run = start(['users', 'create', 'li.wei01', '-c', 'demo-ehpc', '--password-stdin', '--json'], {
      input: `${PASSWORD}\n`,
      env: { HPC_GATEWAY_URL: demo.url },
    });
    expect(run.child.spawnargs.join(' ')).not.toContain(PASSWORD);
    expect((await run.exit).code).toBe(0);
    expect(JSON.parse(run.output())).toMatchObject({ username: 'li.wei01', role: 'member' });
    const again = await demo.at(['users', 'create', 'li.wei01', '-c', 'demo-ehpc', '--password-file', file]);
    expect(again.code).toBe(1);
    expect(again.err).toMatch(/already has a user li\.wei01\. \(user_already_exists, request [\w-]+\)\n/);
    const role = await demo.at(['users', 'set-role', 'li.wei01', 'admin', '-c', 'demo-ehpc']);
    expect(role.out).toMatch(/li\.wei01 +admin/);
    const changed = await demo.at(['users', 'set-password', 'li.wei01', '-c', 'demo-ehpc', '--password-file', file]);
    expect([changed.code, changed.out, changed.err]).toEqual([0, '', 'li.wei01 on demo-ehpc: updated\n']);
    expect((await demo.at(['users', 'get', 'li.wei01', '-c', 'demo-ehpc'])).code).toBe(0);
    const deleted = await demo.at(['users', 'delete', 'li.wei01', '-c', 'demo-ehpc', '--yes', '--json']);
    expect(JSON.parse(deleted.out)).toEqual({ clusterId: 'demo-ehpc', username: 'li.wei01', status: 'deleted' });
    const gone = await demo.at(['users', 'get', 'li.wei01', '-c', 'demo-ehpc']);
    expect([gone.code, gone.out]).toEqual([1, '']);
    expect(gone.err).toMatch(/\(user_not_found, request .*\nWhat it means: \/problems\/user_not_found/);
    for (const { out, err } of [again, role, changed, deleted, gone]) expect(out + err).not.toContain(PASSWORD);
    expect(run.output() + run.errors()).not.toContain(PASSWORD);
  });

  it('what a vendor cannot do, and what breaks its rules, ends with 1', async () => {
    const roles = await demo.at(['users', 'set-role', 'liu.wei', 'admin', '-c', 'demo-shanhe']);
    expect([roles.code, roles.err]).toEqual([1, expect.stringContaining('(not_supported, request ')]);
    const weak = await demo.at(['users', 'create', 'x', '-c', 'demo-shanhe', '--password-stdin'], { input: 'weak' });
    expect([weak.code, weak.err]).toEqual([1, expect.stringContaining('(invalid_user, request ')]);
  });
});

describe('import', () => {
  const write = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };

  it('checks, does as one operation, shows what was not done by lines, and ends with 1 for it', async () => {
    const dry = await demo.at(['import', 'docs/examples/course.csv', '-c', 'demo-ehpc', '--dry-run']);
    expect([dry.code, dry.err]).toEqual([1, 'A dry run says: 299 created, 1 refused\n']);
    const asked = await demo.at(['import', 'docs/examples/course.csv', '-c', 'demo-ehpc']);
    expect([asked.code, asked.err]).toEqual([2, expect.stringContaining('add --yes')]);
    expect((await demo.at(['users', 'list', '-c', 'demo-ehpc', '--search', 'cs26', '--json'])).out).toBe('[]\n');
    const done = await demo.at(['import', 'docs/examples/course.csv', '-c', 'demo-ehpc', '--yes', '--failed']);
    expect(done.code).toBe(1);
    expect(done.err).toMatch(/^A dry run says: 299 created, 1 refused\nOperation op_\w+\nDone: 299 created, 1 refused\n$/);
    expect(lines(dry.out)).toHaveLength(301);
    expect(lines(done.out)).toEqual([expect.stringMatching(/^LINE /), expect.stringMatching(/^151 /)]);
    const passwords = readFileSync('docs/examples/course.csv', 'utf8').match(/[^,\n]*[!@#%^&*][^,\n]*/g) ?? [];
    expect(passwords.length).toBeGreaterThan(100);
    for (const password of passwords) expect(done.out + done.err).not.toContain(password);
    const again = await demo.at(['import', 'docs/examples/course.csv', '-c', 'demo-ehpc', '--yes', '--json']);
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('There is nothing to import.')]);
    expect(JSON.parse(again.out)).toMatchObject({ summary: { already_exists: 299, refused: 1 } });
  });

  it('ends with 0 where all is done', async () => {
    const path = write(
      'good.csv',
      'op,username,password,role\nensure,new.person,Choose@Your0wn,admin\nupdate,alice.chen,,admin\n',
    );
    const { code, out, err } = await demo.at(['import', path, '-c', 'demo-ehpc', '-y']);
    expect([code, err]).toEqual([0, expect.stringMatching(/Done: 1 created, 1 (updated|unchanged)\n$/)]);
    expect(out).toMatch(/^LINE +USERNAME +DO +RESULT +REASON\n2 +new\.person +ensure +created +-\n3 +alice\.chen/);
    const json = await demo.at(['import', path, '-c', 'demo-ehpc', '-y', '--json']);
    expect([json.code, JSON.parse(json.out)]).toEqual([0, expect.objectContaining({ state: 'succeeded', done: true })]);
  });

  it.each([
    [
      'a wrong column',
      'username,passwort\nada.l,Choose@Your0wn\n',
      /names a column "passwort" in line 1, which is not known \(did you mean password\?\)/,
    ],
    [
      'a wrong value',
      'username,password,role\nada.l,Choose@Your0wn,member\nbob.l,Choose@Your0wn,teacher\n',
      /line 3: role must be/,
    ],
    ['too many users', `username\n${'ada.l\n'.repeat(1_001)}`, /wrong\.csv has more than 1000 users: split it\./],
    ['another encoding', Buffer.from('username,password\nzoë.l,Choose@Your0wn\n', 'latin1').toString('latin1'), /./],
  ])('%s ends with 2, names the line and shows no password', async (name, content, message) => {
    const path = join(folder, 'wrong.csv');
    writeFileSync(path, content, name === 'another encoding' ? 'latin1' : 'utf8');
    const { code, out, err } = await demo.at(['import', path, '-c', 'demo-ehpc', '-y']);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(message);
    expect(err).not.toContain(PASSWORD);
    if (name === 'another encoding') expect(err).toContain('is not in UTF-8');
  });
});

describe('operations', () => {
  it('are listed, shown, waited for, and cancelled where they are not done', async () => {
    await demo.at(['users', 'create', 'some.body', '-c', 'demo-ehpc', '--password-stdin'], { input: PASSWORD });
    const list = await demo.at(['operations', 'list', '-c', 'demo-ehpc', '--limit', '1']);
    const [, id = ''] = /^(op_\w+) +createUser +demo-ehpc +succeeded +1 of 1 +1 created/m.exec(list.out) ?? [];
    const json = JSON.parse((await demo.at(['operations', 'list', '--state', 'succeeded', '--json'])).out) as { id: string }[];
    expect(json.map((each) => each.id)).toContain(id);
    const shown = await demo.at(['operations', 'show', id]);
    expect([shown.code, shown.out]).toEqual([0, expect.stringMatching(/1 +some\.body +create +created/)]);
    const waited = await demo.at(['operations', 'wait', id, '--json']);
    expect([waited.code, JSON.parse(waited.out)]).toEqual([0, expect.objectContaining({ id, done: true })]);
    const late = await demo.at(['operations', 'cancel', id]);
    expect([late.code, late.err]).toEqual([1, expect.stringContaining('had ended before')]);
    const none = await demo.at(['operations', 'wait', 'op_none']);
    expect([none.code, none.err]).toEqual([1, expect.stringMatching(/^There is no operation op_none[^\n]*\nWhat it means/)]);
    const unknown = await demo.at(['operations', 'show', 'op_none']);
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('(operation_not_found, request ')]);
  });
});
