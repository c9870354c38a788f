/**
 * npm run new:adapter -- NAME [--root DIR]
 *
 * Copies adapters/_template to adapters/NAME under the vendor's name and lists it in adapters/index.ts: both, or neither.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Script } from 'node:vm';

const NAME = /^[a-z][a-z0-9-]*$/;
const TEMPLATE = { name: 'example-hpc', identifier: 'exampleHpc', title: 'Example HPC' };

class Refusal extends Error {}

const capital = (word) => word.charAt(0).toUpperCase() + word.slice(1);

/** `acme-hpc` → `acmeHpc`, `Acme HPC`. */
const spell = (name) => {
  const words = name.split('-').filter((word) => word !== '');
  return {
    name,
    identifier: words.map((word, index) => (index === 0 ? word : capital(word))).join(''),
    title: words.map((word) => (/^e?hpc$/.test(word) ? word.toUpperCase() : capital(word))).join(' '),
  };
};

const readTemplate = (folder) => {
  const files = readdirSync(folder).filter((file) => statSync(join(folder, file)).isFile());
  return new Map(files.map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
};

const isReserved = (identifier) => {
  try {
    new Script(`async () => { 'use strict'; const ${identifier} = 0; }`);
    return false;
  } catch {
    return true;
  }
};

/** The export has to be a name that JavaScript allows and that neither the index nor the template uses already. */
const checkIdentifier = (identifier, sources) => {
  if (isReserved(identifier)) throw new Refusal(`${identifier} is a word of JavaScript; choose another name.`);
  const word = new RegExp(`\\b${identifier}\\b`);
  if (sources.some((source) => word.test(source)))
    throw new Refusal(`The name ${identifier} is already used in adapters/index.ts or in the template; choose another one.`);
};

const rename = (source, vendor) =>
  Object.entries(TEMPLATE).reduce((text, [key, placeholder]) => text.replaceAll(placeholder, vendor[key]), source);

const IMPORTS = /(?:^import \{ \w+ \} from '\.\/[^/']+\/index\.js';\n)+/m;
const ENTRIES = /\[(?:\s*anyConfig\(\w+\),?)+\s*\]/;

const withImport = (index, { name, identifier }) => {
  const pathOf = (line) => /'([^']+)'/.exec(line)?.[1] ?? '';
  const added = `import { ${identifier} } from './${name}/index.js';`;
  return index.replace(IMPORTS, (block) => {
    const lines = [...block.trimEnd().split('\n'), added];
    return `${lines.sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1)).join('\n')}\n`;
  });
};

/** On one line; `npm run format` breaks it where it has become too long. */
const withEntry = (index, { identifier }) =>
  index.replace(ENTRIES, (list) => {
    const entries = [...list.matchAll(/anyConfig\(\w+\)/g)].map(([entry]) => entry);
    return `[${[...entries, `anyConfig(${identifier})`].join(', ')}]`;
  });

/** The index with the vendor in it. */
const listed = (index, vendor) => {
  if (!IMPORTS.test(index) || !ENTRIES.test(index))
    throw new Refusal('adapters/index.ts has another form than this script knows; add the vendor by hand.');
  return withEntry(withImport(index, vendor), vendor);
};

const makeFolder = (folder, name) => {
  try {
    mkdirSync(folder);
  } catch (error) {
    throw error.code === 'EEXIST' ? new Refusal(`adapters/${name} exists already; nothing was changed.`) : error;
  }
};

const create = (root, name) => {
  const adapters = join(root, 'adapters');
  const indexFile = join(adapters, 'index.ts');
  const folder = join(adapters, name);
  const vendor = spell(name);
  if (statSync(folder, { throwIfNoEntry: false })) throw new Refusal(`adapters/${name} exists already; nothing was changed.`);

  const index = readFileSync(indexFile, 'utf8');
  const template = readTemplate(join(adapters, '_template'));
  checkIdentifier(vendor.identifier, [index, ...template.values()]);
  const newIndex = listed(index, vendor);

  const draft = `${indexFile}.${process.pid}.tmp`;
  makeFolder(folder, name);
  try {
    for (const [file, source] of template) writeFileSync(join(folder, file), rename(source, vendor));
    writeFileSync(draft, newIndex);
    renameSync(draft, indexFile);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    rmSync(draft, { force: true });
    throw error;
  }
};

const nextSteps = (name) => `
adapters/${name} is a copy of the template, and adapters/index.ts lists it.
It compiles; the vendor that it describes does not exist yet. Next (docs/adding-a-vendor.md explains each step):

  1. adapters/${name}           edit every place that  grep -rn EDIT adapters/${name}  finds
  2. simulators/${name}         a server that verifies every signature and can misbehave
  3. test/vectors/${name}.ts    the vendor's published signing examples, checked against adapter and simulator
  4. test/support/backends.ts   a Backend on the simulator in BACKENDS; then test/contract/${name}.test.ts
  5. docs/vendors/${name}.md    the mapping page
  6. npm run format && npm run check && npm test
`;

const parse = () => {
  const options = { root: { type: 'string', default: dirname(dirname(fileURLToPath(import.meta.url))) } };
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    throw new Refusal(error.message);
  }
};

const main = () => {
  const { values, positionals } = parse();
  const [name, ...rest] = positionals;
  if (name === undefined) throw new Refusal('The name of the vendor is missing: npm run new:adapter -- acme-hpc');
  if (rest.length > 0) throw new Refusal(`One name at a time; ${rest.join(' ')} is too much.`);
  if (!NAME.test(name)) throw new Refusal(`${name} is not a fitting name; use small letters, digits and dashes, a letter first.`);
  create(values.root, name);
  console.log(nextSteps(name));
};

try {
  main();
} catch (error) {
  const known = error instanceof Refusal || error.code !== undefined;
  console.error(`new-adapter: ${known ? error.message : error.stack}`);
  process.exitCode = 1;
}
