import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const PROJECT = resolve('.');
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'new-adapter-'));
  for (const name of ['adapters', 'package.json', 'tsconfig.json', 'biome.json'])
    cpSync(join(PROJECT, name), join(root, name), { recursive: true });
  for (const name of ['src', 'node_modules']) symlinkSync(join(PROJECT, name), join(root, name));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const node = (...args: string[]) => spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
const script = (...args: string[]) => node(join(PROJECT, 'scripts/new-adapter.mjs'), ...args, '--root', root);
const index = (): string => readFileSync(join(root, 'adapters/index.ts'), 'utf8');
const setIndex = (source: string): void => writeFileSync(join(root, 'adapters/index.ts'), source);
const tree = (): string[] => readdirSync(join(root, 'adapters'), { recursive: true }).map(String).sort();

describe('a new adapter', () => {
  it('is a renamed copy of the template, listed in the index, and says what comes next', () => {
    const { status, stdout, stderr } = script('acme-hpc');
    expect([status, stderr]).toEqual([0, '']);

    const folder = join(root, 'adapters/acme-hpc');
    expect(readdirSync(folder).sort()).toEqual(readdirSync(join(PROJECT, 'adapters/_template')).sort());
    const sources = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
    expect(sources.join('')).not.toMatch(/example-?hpc|example hpc/i);
    expect(readFileSync(join(folder, 'index.ts'), 'utf8')).toMatch(
      /export const acmeHpc: [\s\S]*vendor: 'acme-hpc',\n {2}title: 'Acme HPC',/,
    );

    expect(index()).toContain("import { acmeHpc } from './acme-hpc/index.js';\nimport { alibabaEhpc }");
    expect(index()).toContain('anyConfig(memory), anyConfig(acmeHpc)]');
    for (const step of ['EDIT', 'simulators/acme-hpc', 'test/vectors/', 'test/support/backends.ts', 'docs/vendors/acme-hpc.md'])
      expect(stdout).toContain(step);
  });

  it('type-checks and passes the linter', () => {
    expect(script('acme-hpc').status).toBe(0);
    const config = { extends: './tsconfig.json', include: ['adapters'] };
    writeFileSync(join(root, 'tsconfig.adapters.json'), JSON.stringify(config));
    const checked = node(join(PROJECT, 'node_modules/typescript/bin/tsc'), '--noEmit', '-p', 'tsconfig.adapters.json');
    expect([checked.stdout, checked.status]).toEqual(['', 0]);
    const biome = join(PROJECT, 'node_modules/@biomejs/biome/bin/biome');
    const linted = node(biome, 'check', '--vcs-enabled=false', '--error-on-warnings', 'adapters');
    expect([linted.stdout + linted.stderr, linted.status]).toEqual([expect.stringContaining('No fixes applied'), 0]);
  }, 30_000);

  it('can be made when there are others already', () => {
    for (const name of ['zeta', 'acme-hpc', 'a-very-long-name-for-one-single-vendor']) expect(script(name).status).toBe(0);
    const imported = [...index().matchAll(/from '\.\/([^/]+)\/index\.js'/g)].map(([, name]) => name);
    expect(imported).toEqual([...imported].sort());
    expect(index()).toContain('anyConfig(zeta), anyConfig(acmeHpc), anyConfig(aVeryLongNameForOneSingleVendor)]');
    setIndex(
      index().replace(/\[anyConfig.*\]/, (list) =>
        list.replaceAll(/(?<=[[,])\s*anyConfig/g, '\n    anyConfig').replace(']', ',\n  ]'),
      ),
    );
    expect(script('last-one').status).toBe(0);
    expect(index()).toContain('anyConfig(aVeryLongNameForOneSingleVendor), anyConfig(lastOne)]');
  });
});

describe('a refusal names its reason and changes nothing', () => {
  it.each([
    ['no name', [], 'The name of the vendor is missing'],
    ['capital letters', ['Acme'], 'Acme is not a fitting name'],
    ['a digit first', ['1acme'], '1acme is not a fitting name'],
    ['a path', ['../acme'], '../acme is not a fitting name'],
    ['an empty name', [''], 'is not a fitting name'],
    ['two names', ['acme', 'hpc'], 'One name at a time'],
    ['an unknown option', ['acme', '--force'], 'Unknown option'],
    ['an existing vendor', ['shanhe-hpc'], 'adapters/shanhe-hpc exists already'],
    ['a word of JavaScript', ['new'], 'new is a word of JavaScript'],
    ['a name in use', ['adapters'], 'The name adapters is already used'],
    ['the same identifier again', ['alibaba--ehpc'], 'The name alibabaEhpc is already used'],
  ] as const)('%s', (_, args, reason) => {
    const before = [tree(), index()];
    const { status, stdout, stderr } = script(...args);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(reason);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect([tree(), index()]).toEqual(before);
  });

  it('an index that it does not understand', () => {
    setIndex('export const adapters = {};\n');
    const { status, stderr } = script('acme-hpc');
    expect(status).toBe(1);
    expect(stderr).toContain('add the vendor by hand');
    expect(existsSync(join(root, 'adapters/acme-hpc'))).toBe(false);
  });

  it('a folder without a template', () => {
    rmSync(join(root, 'adapters/_template'), { recursive: true });
    expect(script('acme-hpc').status).toBe(1);
    expect(existsSync(join(root, 'adapters/acme-hpc'))).toBe(false);
  });
});
