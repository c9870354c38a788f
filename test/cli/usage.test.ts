/** What needs no gateway: help, wrong use, exit codes. */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { endProcesses, run } from '../support/process.js';
import { cli, PROGRAM } from './support.js';

afterEach(endProcesses);

describe('help and version', () => {
  it('prints the version of package.json', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await cli(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });

  it.each([['--help'], ['help', 'users'], ['users', '--help'], ['users', 'create', '-h'], ['demo', '--help']])(
    '%s %s',
    async (...args) => {
      const { code, out, err } = await cli(args);
      expect([code, err]).toEqual([0, '']);
      expect(out).toMatch(/^Usage: hpc-gateway /);
    },
  );
});

it('is a program that can be started by its name', async () => {
  const started = run('bash', ['-c', `PATH="${dirname(process.execPath)}:$PATH"; ./${PROGRAM} --version`]);
  expect(await started.exit).toEqual({ code: 0, signal: null });
});

describe('wrong use ends with 2 and says what to change', () => {
  it.each([
    [['key'], 'Usage: hpc-gateway key'],
    [['key', 'nwe'], "unknown command 'nwe'\n(Did you mean new?)"],
    [['key', 'new'], "required option '--id <name>' not specified"],
    [['key', 'new', '--id', 'no blank'], 'An id has letters'],
    [['key', 'new', '--di', 'x'], "unknown option '--di'\n(Did you mean --id?)"],
    [['gateway.yaml'], "unknown command 'gateway.yaml'"],
    [['usres', 'list'], '(Did you mean users?)'],
    [['users', 'list'], "required option '-c, --cluster <id>' not specified"],
    [['users', 'list', '-c', 'c', '--limit', '0'], 'whole number from 1'],
    [['users', 'list', '-c', 'c', '--json', '--ndjson'], 'cannot be used with'],
    [['users', 'set-role', 'a', 'teacher', '-c', 'c'], 'Allowed choices are member, admin, owner'],
    [['users', 'create', 'a', '-c', 'c'], 'There is no terminal to ask for the password'],
    [['users', 'create', 'a', '-c', 'c', '--password', 'x'], "unknown option '--password'"],
    [['users', 'create', 'a', '-c', 'c', '--password=secret'], "unknown option '--password=…'"],
    [['users', 'create', 'a', '-c', 'c', "--password=it's\n=secret"], "unknown option '--password=…'"],
    [['clusters', '--key=secret'], "unknown option '--key=…'"],
    [['key=secret'], "unknown command 'key=…'"],
    [['clusters', '--key-file', '/dev/null'], '/dev/null has no key in it.'],
    [['users', 'delete', 'a', '-c', 'c'], 'There is no terminal to ask at: add --yes'],
    [['users', 'delete', '..', '-c', 'c', '-y'], 'It has to be a name.'],
    [['clusters', '--url', 'ftp://h'], 'has to be http:// or https://'],
    [['clusters', '--url', 'http://me:secret@h'], 'has to be http:// or https://'],
    [['clusters', '--key-file', 'test/none'], 'test/none cannot be read (ENOENT)'],
    [['clusters', 'surplus'], 'too many arguments'],
    [['import', 'test/none.csv', '-c', 'c'], 'test/none.csv cannot be read (ENOENT)'],
    [['check'], 'Name the configuration: --config FILE, or HPC_GATEWAY_CONFIG'],
    [['audit', 'verify'], 'HPC_GATEWAY_CONFIG has to name the configuration'],
    [['store', 'copy', 'folder'], 'HPC_GATEWAY_CONFIG has to name the configuration'],
    [['store', 'copy'], "missing required argument 'folder'"],
    [['completion', 'tcsh'], 'Allowed choices are bash, zsh, fish'],
    [['key', 'ne\u001b[31mw'], "unknown command 'ne\\u{1b}[31mw'"],
  ])('%j', async (args, message) => {
    const { code, out, err } = await cli(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(message);
    expect(err).not.toMatch(/secret|^ {4}at /m);
  });

  it('a mistyped variable', async () => {
    const { code, err } = await cli(['clusters'], { env: { HPC_GATEWAY_ULR: 'http://h' } });
    expect([code, err]).toEqual([2, 'HPC_GATEWAY_ULR is not a known variable. Did you mean HPC_GATEWAY_URL?\n']);
  });

  it('a key that no header can hold is not quoted', async () => {
    const { code, err } = await cli(['clusters'], { env: { HPC_GATEWAY_KEY: 'hpcgw_x\ny' } });
    expect([code, err]).toEqual([2, 'The API key has to be printable ASCII without blanks and line ends.\n']);
  });
});

describe('no gateway', () => {
  it('ends with 3 and says what to check', async () => {
    const { code, out, err } = await cli(['clusters', '--url', 'http://127.0.0.1:1']);
    expect([code, out]).toEqual([3, '']);
    expect(err).toMatch(/^The gateway at http:\/\/127\.0\.0\.1:1 cannot be reached.*\n.*--url or HPC_GATEWAY_URL/);
  });
});

describe('openapi', () => {
  it('prints the document, as JSON and as YAML, of 3.1 and of 3.0', async () => {
    const expected: unknown = JSON.parse(readFileSync('dist/openapi.json', 'utf8'));
    const json = await cli(['openapi']);
    expect([json.code, JSON.parse(json.out)]).toEqual([0, expected]);
    const yaml = await cli(['openapi', '--yaml']);
    expect([yaml.code, parse(yaml.out)]).toEqual([0, expected]);
    const old: unknown = JSON.parse(readFileSync('dist/openapi-3.0.json', 'utf8'));
    expect(old).toMatchObject({ openapi: '3.0.3' });
    expect(JSON.parse((await cli(['openapi', '--3.0'])).out)).toEqual(old);
    expect(parse((await cli(['openapi', '--3.0', '--yaml'])).out)).toEqual(old);
  });

  it('ends quietly when its reader has enough', async () => {
    const { exit, output, errors } = run('bash', [
      '-c',
      `"${process.execPath}" ${PROGRAM} openapi | head -n 1; echo "\${PIPESTATUS[0]}"`,
    ]);
    await exit;
    expect([output(), errors()]).toEqual(['{\n0\n', '']);
  });
});

describe('key new', () => {
  it('prints a key and the hash of it', async () => {
    const { code, out } = await cli(['key', 'new', '--id', 'portal']);
    expect(code).toBe(0);
    expect(out).toMatch(/hpcgw_[\w-]{43}/);
    expect(out).toMatch(/- id: portal\n {6}keys: \[ \{ hash: "sha256:[0-9a-f]{64}" \} \]/);
  });
});

describe('completion', () => {
  const completed = async (script: string, words: readonly string[]): Promise<string[]> => {
    const line = `${script}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _hpc_gateway; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { exit, output } = run('bash', ['-c', line]);
    await exit;
    return output().trim().split('\n');
  };

  it('completes commands, options and values in bash', async () => {
    const { code, out } = await cli(['completion', 'bash']);
    expect(code).toBe(0);
    expect(await completed(out, ['hpc-gateway', 'us'])).toEqual(['users']);
    expect(await completed(out, ['hpc-gateway', 'users', 'set'])).toEqual(['set-role', 'set-password']);
    expect(await completed(out, ['hpc-gateway', 'users', 'list', '--s'])).toEqual(['--search']);
    expect(await completed(out, ['hpc-gateway', 'users', 'list', '--role', ''])).toEqual(['member', 'admin', 'owner']);
    expect(await completed(out, ['hpc-gateway', 'completion', ''])).toEqual(expect.arrayContaining(['bash', 'zsh', 'fish']));
    expect(await completed(out, ['hpc-gateway', 'import', 'package.js'])).toEqual(['package.json']);
  });

  it('has scripts for zsh and fish', async () => {
    expect((await cli(['completion', 'zsh'])).out).toMatch(/^#compdef hpc-gateway\n[\s\S]*bashcompinit/);
    const { out } = await cli(['completion', 'fish']);
    expect(out).toContain(
      "complete -c hpc-gateway -n '__fish_seen_subcommand_from users; and __fish_seen_subcommand_from list' -l role -x -a 'member admin owner'",
    );
    expect(out).toMatch(
      /^complete -c hpc-gateway -n 'not __fish_seen_subcommand_from .*' -a users -d 'the users of a cluster'$/m,
    );
  });
});
