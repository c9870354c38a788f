import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));

const naming = (word: RegExp, folders: readonly string[]): string[] =>
  folders.flatMap(filesIn).filter((file) => word.test(readFileSync(file, 'utf8')));

describe('architecture', () => {
  it('has only the arrows of .dependency-cruiser.js', () => {
    const tool = join('node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
    const folders = ['api', 'src', 'adapters', 'simulators', 'test', 'bench', 'abuse', 'packages/client/src'];
    const output = execFileSync(process.execPath, [tool, ...folders], { encoding: 'utf8' });
    expect(output).toContain('no dependency violations found');
  });

  it('writes things of any kind: the engine names none', () => {
    const things = /\b(users?|usernames?|roles?|passwords?)\b|[a-z](User|Role|Password)|\b(user|role|password)[A-Z_]/;
    expect(naming(things, [join('src', 'writes'), join('src', 'journal')])).toEqual([]);
  });

  it('reads the environment in one place', () => {
    expect(naming(/process\.env/, ['api', 'src', 'adapters'])).toEqual([join('src', 'config', 'environment.ts')]);
    expect(naming(/process\.env/, ['simulators'])).toEqual([join('simulators', 'main.ts')]);
  });

  it('takes secrets out of their wrapping in few places', () => {
    expect(naming(/\.unwrap\(\)/, ['api', 'src', 'adapters']).sort()).toEqual(
      [
        // Where the wire of a vendor is written.
        'adapters/_template/client.ts',
        'adapters/_template/signer.ts',
        'adapters/alibaba-ehpc/client.ts',
        'adapters/alibaba-ehpc/signer.ts',
        'adapters/shanhe-hpc/client.ts',
        'adapters/shanhe-hpc/signer.ts',
        // Where TLS of the gateway itself begins.
        'api/net/listener.ts',
        // Where passwords are sealed, and the store is opened.
        'src/store/encryptor.ts',
        'src/store/open.ts',
        // The rules of a vendor.
        'src/users/rules.ts',
        // Proxies, and what to look for in the answers of vendors.
        'src/vendor/connector.ts',
        'src/vendor/needles.ts',
      ].map(normalize),
    );
  });

  it('writes to the console nowhere', () => {
    expect(naming(/console\./, ['api', 'src', 'adapters'])).toEqual([]);
  });

  it('combines signals in one place: the platform forgets what they are made of', () => {
    expect(naming(/AbortSignal\.any\(/, ['api', 'src', 'adapters', 'simulators'])).toEqual([join('src', 'deadline.ts')]);
  });

  it('keeps clocks and randomness out of adapters', () => {
    expect(naming(/new Date\(\)|Date\.now|Math\.random|randomUUID|randomBytes/, ['adapters'])).toEqual([]);
  });
});
