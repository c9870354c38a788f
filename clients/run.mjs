/**
 * Generates a client in each language, compiles it with its consumer, and runs the consumer against the demo.
 * `npm run test:clients -- NAME…` takes some of them; `--url=URL` uses a demo that runs already.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { csharp } from './csharp/client.mjs';
import { go } from './go/client.mjs';
import { java } from './java/client.mjs';
import { count } from './lib/count.mjs';
import { startDemo } from './lib/demo.mjs';
import { installCommand, missingPackages } from './lib/packages.mjs';
import { CLIENTS, DOCUMENT, DOCUMENT_30, GENERATED, ROOT } from './lib/paths.mjs';
import { run } from './lib/process.mjs';
import { table } from './lib/table.mjs';
import { python } from './python/client.mjs';
import { typescript } from './typescript/client.mjs';

const ALL = [python, java, go, csharp, ...typescript];
const FETCH_MS = 30_000;
const INSTALL_MS = 600_000;

const args = process.argv.slice(2);
const url = args.find((arg) => arg.startsWith('--url='))?.slice('--url='.length);
const wrong = args.filter((arg) => arg.startsWith('--') && !arg.startsWith('--url='));
if (wrong.length > 0 || url === '') {
  console.error(`${wrong.length > 0 ? `There is no option ${wrong.join(', ')}, but ` : 'The option is '}--url=URL.`);
  process.exit(1);
}
const names = args.filter((arg) => !arg.startsWith('--'));
const chosen = names.length === 0 ? ALL : ALL.filter(({ name }) => names.includes(name));
const unknown = names.filter((name) => !ALL.some((client) => client.name === name));
if (unknown.length > 0) {
  console.error(`There is no client ${unknown.join(', ')}, but ${ALL.map(({ name }) => name).join(', ')}.`);
  process.exit(1);
}

const seconds = async (work) => {
  const start = performance.now();
  const value = await work();
  return { value, seconds: ((performance.now() - start) / 1000).toFixed(1) };
};

/** The generators, as the lock file names them; without the scripts of packages, which nothing here needs. */
const installGenerators = async () => {
  const marker = `${CLIENTS}node_modules/.installed`;
  const lock = readFileSync(`${CLIENTS}package-lock.json`, 'utf8');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === lock) return;
  console.log('Installing the generators');
  await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: CLIENTS, limitMs: INSTALL_MS });
  writeFileSync(marker, lock);
};

const download = async (from, path) => {
  const answer = await fetch(from, { signal: AbortSignal.timeout(FETCH_MS) });
  if (!answer.ok) throw new Error(`${from} answered ${answer.status}`);
  writeFileSync(path, await answer.text());
};

/** One client: its row of the table, and what became of it. */
const tryClient = async (client, base) => {
  const row = { code: { files: 0, lines: 0 }, generate: '', compile: '', run: '', result: '' };
  const missing = missingPackages(client.needs);
  if (missing.length > 0)
    return { ...row, result: 'not run', reason: `misses ${missing.join(', ')}: ${installCommand(missing)}` };
  mkdirSync(`${GENERATED}${client.name}`, { recursive: true });
  let step = 'generate';
  try {
    row.generate = (await seconds(client.generate)).seconds;
    row.code = count(client.folder, client.extension);
    step = 'compile';
    row.compile = (await seconds(client.compile)).seconds;
    step = 'run';
    const ran = await seconds(() => client.run(base));
    row.run = ran.seconds;
    process.stdout.write(ran.value);
    return { ...row, result: 'passed' };
  } catch (error) {
    return { ...row, result: `failed: ${step}`, reason: error.message };
  }
};

await run(process.execPath, ['scripts/build.mjs'], { cwd: ROOT });
await installGenerators();
rmSync(GENERATED, { recursive: true, force: true });
mkdirSync(GENERATED, { recursive: true });

const demo = url ? { url, stop: async () => {} } : await startDemo();
const results = [];
try {
  await download(`${demo.url}/openapi.json`, DOCUMENT);
  await download(`${demo.url}/openapi-3.0.json`, DOCUMENT_30);
  for (const client of chosen) {
    console.log(`\n${client.language}: ${client.generator}`);
    const result = await tryClient(client, demo.url);
    if (result.reason) console.log(`${result.result}: ${result.reason}`);
    results.push({ client, ...result });
  }
} finally {
  await demo.stop();
}

const head = ['language', 'generator', 'files', 'lines', 'generate s', 'compile s', 'run s', 'result'];
const rows = results.map(({ client, code, generate, compile, run: ran, result }) => {
  return [client.language, client.generator, `${code.files}`, `${code.lines}`, generate, compile, ran, result];
});
console.log(`\n${table([head, ...rows])}\n`);
const failed = results.filter(({ result }) => result.startsWith('failed'));
const notRun = results.filter(({ result }) => result === 'not run');
for (const { client, reason } of notRun) console.log(`${client.name} was not run: it ${reason}`);
const passed = results.length - failed.length - notRun.length;
console.log(`${passed} clients passed, ${failed.length} failed, ${notRun.length} not run`);
if (failed.length > 0) process.exitCode = 1;
