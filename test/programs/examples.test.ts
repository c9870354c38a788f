/** Every example does what it says, against the demo. `npm run test:programs`: they need python3 and a shell. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { endProcesses, READY, run, server } from '../support/process.js';

let url: string;
let demo: ReturnType<typeof server>;
beforeAll(async () => {
  demo = server({ HPC_GATEWAY_DEMO: '1' });
  [, url = ''] = await demo.until(READY);
});
afterAll(endProcesses);
const started: ReturnType<typeof run>[] = [];
afterEach(() => {
  for (const { child } of started.splice(0)) child.kill('SIGKILL');
});
const example = (command: string, ...args: string[]) => {
  const program = run(command, args, { HPC_GATEWAY_URL: url, PORT: '0' });
  started.push(program);
  return program;
};
const outputOf = async (program: ReturnType<typeof run>): Promise<string> => {
  const { code } = await program.exit;
  expect([code, program.errors()]).toEqual([0, expect.any(String)]);
  return program.output();
};

describe('examples', () => {
  it('two-vendors: the same mistake has the same name', async () => {
    const output = await outputOf(example(process.execPath, 'dist/examples/two-vendors/two-vendors.js'));
    const row = (id: string): string => output.split('\n').find((line) => line.includes(id)) ?? '';
    for (const id of ['demo-ehpc', 'demo-shanhe']) {
      expect(row(id)).toContain("'user_already_exists'");
      expect(row(id)).toContain("'user_not_found'");
    }
    expect(row('demo-shanhe')).toContain("'not_supported'");
  });

  it('portal: shows users, creates one, and says why it does not create another', async () => {
    const [, portal = ''] = await example(process.execPath, 'dist/examples/portal/portal.js').until(/portal at (\S+)/);
    const page = async (path: string, form?: Record<string, string>): Promise<string> => {
      const body = form && new URLSearchParams(form);
      return (await fetch(`${portal}${path}`, { ...(body && { method: 'POST', body }) })).text();
    };
    expect(await page('/?cluster=demo-shanhe')).toContain('<table><tr><td>');
    const form = { cluster: 'demo-ehpc', username: 'portal01', password: 'Choose@Your0wn', key: 'one' };
    expect(await page('/', form)).toContain('portal01 was created on demo-ehpc.');
    expect(await page('/', form)).toContain('portal01 was created on demo-ehpc.');
    expect(await page('/', { ...form, key: 'two' })).toContain('already has a user portal01');
    expect(await page('/?search=%3Cscript%3E')).not.toContain('<script>');
  });

  it('python: makes users exist, as often as it runs', async () => {
    for (let time = 0; time < 2; time++) {
      const output = await outputOf(example('python3', 'examples/python/users.py', '--cluster', 'demo-shanhe', 'pyuser1'));
      expect(output).toMatch(/^pyuser1: member, uid \d+\n\d+ users on demo-shanhe\n$/);
    }
    const refused = example('python3', 'examples/python/users.py', 'a');
    expect((await refused.exit).code).toBe(1);
    expect(refused.errors()).toMatch(/^invalid_user: /);
  });

  it('csv-import: a look first, then the import', async () => {
    for (const status of ['created', 'unchanged']) {
      const program = example('sh', 'examples/csv-import/import.sh', 'demo-shanhe');
      await outputOf(program);
      // What is said to people; results are for standard output.
      expect(program.errors()).toContain(`A dry run says: 3 ${status}`);
      expect(program.errors()).toContain(`Done: 3 ${status}`);
    }
  });
});
