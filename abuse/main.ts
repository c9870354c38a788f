/** `npm run abuse`: attacks a gateway of its own on loopback. Exits with 0 only if all bounds hold. */
import { writeFileSync } from 'node:fs';
import { exitCodeOf } from './bounds.js';
import { endAll } from './children.js';
import { type Options, readOptions, USAGE } from './options.js';
import { BOUNDS_NOTE, describe } from './report.js';
import { runStage, type StoreReport } from './stage.js';

/** Beyond the longest run with room for restarts; then all ends. */
const MAX_RUN_MS = 45 * 60_000;

const stopOnSignals = (): void => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)
    process.on(signal, () => process.exit(code));
};

const run = async (options: Options): Promise<number> => {
  const reports: StoreReport[] = [];
  for (const store of options.stores) {
    const report = await runStage(store, options, (text) => console.error(text));
    reports.push(report);
    console.log(`${describe(report)}\n`);
    if (options.jsonFile !== undefined) writeFileSync(options.jsonFile, `${JSON.stringify({ reports }, null, 2)}\n`);
  }
  console.log(BOUNDS_NOTE);
  return exitCodeOf(reports.flatMap(({ results }) => results));
};

const start = async (): Promise<number> => {
  let options: Options;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  setTimeout(() => {
    console.error('the run took too long');
    process.exit(1);
  }, MAX_RUN_MS).unref();
  return run(options);
};

// Whatever ends the program ends its children.
process.on('exit', endAll);
stopOnSignals();
process.exit(await start());
